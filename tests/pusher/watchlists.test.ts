/** Watchlists of the Pusher protocol: users see each other come online and go offline, once each, on whichever edges they are. */
import { countOf, eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { withConfigFile } from '../presence/config-file.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { APP, type ClientOptions, nextEvent, type PusherClient, type PusherStory, startPusherStory } from './story.js';

const GRACE_MS = 300;
const LEASE_MS = 3000;

interface Watcher {
  readonly client: PusherClient;
  /** The notices that the client got, as `online ann`. */
  readonly events: string[];
}

/** A client that signs in with a watchlist. */
async function signedIn(
  story: PusherStory,
  edge: number,
  id: string,
  watchlist?: readonly unknown[],
  options: ClientOptions = {},
): Promise<Watcher> {
  const client = story.client(edge, { userData: { id, ...(watchlist !== undefined && { watchlist }) }, ...options });
  const events: string[] = [];
  client.user.watchlist.bind_global((name: string, { user_ids: ids }: { user_ids: string[] }) => {
    for (const user of ids) events.push(`${name} ${user}`);
  });
  client.signin();
  await client.user.signinDonePromise;
  return { client, events };
}

describe('with watchlists', () => {
  let story: PusherStory;

  beforeAll(async () => {
    story = await startPusherStory({ app: { watchlists: true, leaveGraceMs: GRACE_MS } });
  });

  test('a user learns who is online, and then of each change once, on whichever edges the others are', async () => {
    const bob = await signedIn(story, 1, 'bob');
    const ann = await signedIn(story, 0, 'ann', ['bob', 'eve', 'zoe']);
    await eventually(() => ann.events.length === 3);
    expect([...ann.events].sort()).toEqual(['offline eve', 'offline zoe', 'online bob']);
    ann.events.length = 0;
    const phone = await signedIn(story, 0, 'eve');
    const laptop = await signedIn(story, 1, 'eve');
    await eventually(() => ann.events.length === 1);
    phone.client.disconnect();
    bob.client.disconnect();
    await eventually(() => ann.events.length === 2);
    laptop.client.disconnect();
    await eventually(() => ann.events.length === 3);
    expect(ann.events).toEqual(['online eve', 'offline bob', 'offline eve']);
  });

  test('a second watcher on the same edge is answered immediately, and both are notified of changes', async () => {
    const one = await signedIn(story, 0, 'one', ['mia', 'one']);
    await eventually(() => one.events.length === 2);
    const two = await signedIn(story, 0, 'two', ['mia', 'one']);
    await eventually(() => two.events.length === 2);
    expect(two.events).toEqual(['online one', 'offline mia']);
    const mia = await signedIn(story, 1, 'mia');
    await eventually(() => [one, two].every(({ events }) => events.includes('online mia')));
    one.client.disconnect();
    mia.client.disconnect();
    await eventually(() => two.events.length === 5);
    expect(two.events.slice(2).sort()).toEqual(['offline mia', 'offline one', 'online mia']);
  });

  test('a reconnect within the grace is invisible, and the watcher that reconnects learns the state again', async () => {
    const kim = await signedIn(story, 1, 'kim');
    const lee = await signedIn(story, 0, 'lee', ['kim']);
    await eventually(() => lee.events.length === 1);
    kim.client.disconnect();
    kim.client.connect();
    await eventually(() => kim.client.user.serverToUserChannel?.subscribed === true);
    lee.client.disconnect();
    lee.client.connect();
    await eventually(() => lee.events.length === 2);
    const max = await signedIn(story, 1, 'max', ['kim']);
    await eventually(() => max.events.length === 1);
    expect([lee.events, max.events]).toEqual([['online kim', 'online kim'], ['online kim']]);
  });

  test('a watcher gets no events of the users that it watches, and no members see it', async () => {
    const sam = await signedIn(story, 1, 'sam');
    const tom = await signedIn(story, 0, 'tom', ['sam']);
    await eventually(() => tom.events.length === 1);
    const received: string[] = [];
    tom.client.connection.bind('message', ({ event }: { event: string }) => received.push(event));
    await eventually(() => sam.client.user.serverToUserChannel?.subscribed === true);
    const hello = nextEvent(sam.client.user, 'hello');
    await story.server.sendToUser('sam', 'hello', {});
    await hello;
    await eventually(() => tom.client.user.serverToUserChannel?.subscribed === true);
    const last = nextEvent(tom.client.user, 'last');
    await story.server.sendToUser('tom', 'last', {});
    await last;
    expect(received).not.toContain('hello');
    const { channels } = (await (await story.server.get({ path: '/channels' })).json()) as { channels: object };
    expect(Object.keys(channels).filter(name => name.includes('sam') || name.includes('tom'))).toEqual([]);
  });

  test('a connection that signs in as another user is that user alone, also after it signs in again', async () => {
    const watcher = await signedIn(story, 1, 'judge', ['before', 'after']);
    const { client } = await signedIn(story, 0, 'before');
    await eventually(() => watcher.events.includes('online before'));
    const signInAs = async (id: string) => {
      const done = nextEvent(client, 'pusher:signin_success');
      client.send_event('pusher:signin', story.server.authenticateUser(client.connection.socket_id, { id }));
      await done;
    };
    await signInAs('after');
    await eventually(() => ['offline before', 'online after'].every(event => watcher.events.includes(event)));
    await signInAs('after');
    const received: string[] = [];
    client.connection.bind('message', ({ event }: { event: string }) => received.push(event));
    await story.server.sendToUser('before', 'for-the-former', {});
    await story.server.sendToUser('after', 'last', {});
    await eventually(() => received.includes('last'));
    expect(received).not.toContain('for-the-former');
    expect(watcher.events.slice(-2).sort()).toEqual(['offline before', 'online after']);
  });

  test('more than 100 users are refused with 4302 and counted, and a malformed list with an error', async () => {
    for (const [watchlist, code] of [
      [Array.from({ length: 101 }, (_, n) => `u${n}`), 4302],
      ['ann', null],
      [[{}], null],
      [['a*'], null],
    ] as const) {
      const client = story.client(0, { userData: { id: 'many', watchlist } });
      const error = nextEvent(client.connection, 'error');
      client.signin();
      expect(await error).toMatchObject({ data: { code, message: expect.stringContaining('watchlist') } });
    }
    expect(await countOf(story.cluster.edge(0), 'hubbub_edge_limits_total{limit="watchlist"}')).toBe(1);
  });

  test('a connection that ends releases its subscriptions', async () => {
    const edge = story.cluster.edge(0);
    const before = await countOf(edge, 'hubbub_edge_subscriptions');
    const list = Array.from({ length: 100 }, (_, n) => `stranger-${n}`);
    const watcher = await signedIn(story, 0, 'nosy', list);
    await eventually(() => watcher.events.length === 100);
    expect(await countOf(edge, 'hubbub_edge_subscriptions')).toBeGreaterThanOrEqual(before + 100);
    watcher.client.disconnect();
    await eventually(async () => (await countOf(edge, 'hubbub_edge_subscriptions')) < before + 100, {
      withinMs: 30_000,
    });
  });
});

test('without watchlists in the app, a list in a sign-in changes nothing', async () => {
  const other = { ...APP, id: 'other', key: 'other', watchlists: true };
  const story = await startPusherStory({ edges: 1, env: withConfigFile({ pusherApps: [APP, other] }) });
  await signedIn(story, 0, 'bob');
  const ann = await signedIn(story, 0, 'ann', ['bob']);
  const last = nextEvent(ann.client.user, 'last');
  await eventually(() => ann.client.user.serverToUserChannel?.subscribed === true);
  await story.server.sendToUser('ann', 'last', {});
  await last;
  expect(ann.events).toEqual([]);
});

test('after kill -9 of an edge its users go offline once for watchers on another one', async () => {
  const story = await startPusherStory({
    app: { watchlists: true, leaveGraceMs: GRACE_MS },
    env: { HUBBUB_NODE_LEASE_MS: String(LEASE_MS) },
  });
  const ann = await signedIn(story, 0, 'ann', ['bob', 'eve']);
  await signedIn(story, 1, 'bob');
  await signedIn(story, 1, 'eve');
  await eventually(() => ann.events.filter(event => event.startsWith('online')).length === 2);
  ann.events.length = 0;
  await story.cluster.edge(1).process.kill();
  await eventually(() => ann.events.length === 2, { withinMs: 30_000 });
  const late = await signedIn(story, 0, 'late', ['bob', 'eve']);
  await eventually(() => late.events.length === 2);
  expect([...ann.events].sort()).toEqual(['offline bob', 'offline eve']);
  expect([...late.events].sort()).toEqual(['offline bob', 'offline eve']);
});

test('a draining edge: its users stay online for watchers, and its watchers learn the state from the next edge', async () => {
  const story = await startPusherStory({
    app: { watchlists: true, leaveGraceMs: 20_000 },
    env: { HUBBUB_DRAIN_WINDOW_MS: '1000', HUBBUB_DRAIN_DELAY_MS: '0' },
  });
  // As behind a balancer: new connections go to the edge that stays.
  const proxy = await startTcpProxy({ to: story.cluster.edge(0).process.port });
  const stays = await signedIn(story, 1, 'stays', ['moves']);
  const moves = await signedIn(story, 0, 'moves', ['stays'], { port: proxy.port });
  await eventually(() => stays.events.includes('online moves') && moves.events.length === 1);
  stays.events.length = 0;
  moves.events.length = 0;
  proxy.retarget(story.cluster.edge(1).process.port);
  expect(await story.cluster.edge(0).process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await eventually(() => moves.events.length === 1, { withinMs: 30_000 });
  moves.client.disconnect();
  await signedIn(story, 1, 'moves');
  const last = await signedIn(story, 1, 'last', ['moves', 'stays']);
  await eventually(() => last.events.length === 2);
  expect([stays.events, moves.events, [...last.events].sort()]).toEqual([
    [],
    ['online stays'],
    ['online moves', 'online stays'],
  ]);
});

test('changes during a restart of Redis without its data are caught up with', async () => {
  const story = await startPusherStory({
    app: { watchlists: true, leaveGraceMs: GRACE_MS },
    env: { HUBBUB_NODE_LEASE_MS: String(LEASE_MS) },
  });
  const bob = await signedIn(story, 1, 'bob');
  const eve = await signedIn(story, 1, 'eve');
  const ann = await signedIn(story, 0, 'ann', ['bob', 'eve']);
  await eventually(() => ann.events.length === 2);
  await story.cluster.redis.restart({ keepData: false });
  eve.client.disconnect();
  const stateOf = (id: string) => ann.events.findLast(event => event.endsWith(id));
  await eventually(() => stateOf('eve') === 'offline eve' && stateOf('bob') === 'online bob', { withinMs: 30_000 });
  bob.client.disconnect();
  await eventually(() => stateOf('bob') === 'offline bob', { withinMs: 30_000 });
});

test('while presence is down nothing is claimed, and the state follows when it is back', async () => {
  const story = await startPusherStory({ edges: 1, app: { watchlists: true, leaveGraceMs: GRACE_MS } });
  const bob = await signedIn(story, 0, 'bob');
  await story.cluster.presence[0]?.kill();
  const ann = await signedIn(story, 0, 'ann', ['bob']);
  expect(ann.events).toEqual([]);
  await story.cluster.addPresence();
  await eventually(() => ann.events.length > 0, { withinMs: 30_000 });
  expect(ann.events).toEqual(['online bob']);
  bob.client.disconnect();
  await eventually(() => ann.events.length === 2);
  expect(ann.events[1]).toBe('offline bob');
});
