/** Faults with clients of Pusher: rosters stay right across edges, members leave once, and reconnects are spread. */
import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { memberIds, type PusherClient, startPusherStory, subscribed } from './story.js';

const LEASE_MS = 3000;

test('after kill -9 of an edge its members leave once, and the others stay', async () => {
  const story = await startPusherStory({
    app: { leaveGraceMs: 500 },
    env: { HUBBUB_NODE_LEASE_MS: String(LEASE_MS) },
  });
  const one = await subscribed(story.client(0, { user: { user_id: 'ann' } }), 'presence-room');
  const removed: unknown[] = [];
  one.bind('pusher:member_removed', ({ id }: { id: string }) => removed.push(id));
  for (const user_id of ['bob', 'eve']) await subscribed(story.client(1, { user: { user_id } }), 'presence-room');
  await eventually(() => memberIds(one).length === 3);
  await story.cluster.edge(1).process.kill();
  await eventually(() => removed.length === 2, { withinMs: 30_000 });
  expect(memberIds(one)).toEqual(['ann']);
  const late = await subscribed(story.client(0, { user: { user_id: 'zoe' } }), 'presence-room');
  expect(memberIds(late)).toEqual(['ann', 'zoe']);
  expect(removed.sort()).toEqual(['bob', 'eve']);
});

test('a draining edge spreads the reconnects of its clients, and no member is seen to leave', async () => {
  const story = await startPusherStory({
    app: { leaveGraceMs: 20_000 },
    env: { HUBBUB_DRAIN_WINDOW_MS: '4000', HUBBUB_DRAIN_DELAY_MS: '0' },
  });
  // As behind a balancer: new connections go to the edge that stays.
  const proxy = await startTcpProxy({ to: story.cluster.edge(0).process.port });
  const watcher = await subscribed(story.client(1, { user: { user_id: 'watcher' } }), 'presence-room');
  const changes: string[] = [];
  const clients: PusherClient[] = [];
  for (let n = 0; n < 20; n++) {
    const client = story.client(0, { user: { user_id: `user-${n}` }, port: proxy.port });
    await subscribed(client, 'presence-room');
    clients.push(client);
  }
  await eventually(() => memberIds(watcher).length === 21);
  watcher.bind('pusher:member_removed', ({ id }: { id: string }) => changes.push(`removed ${id}`));
  watcher.bind('pusher:member_added', ({ id }: { id: string }) => changes.push(`added ${id}`));
  const endedAtMs: number[] = [];
  for (const client of clients) {
    client.connection.bind('state_change', ({ previous }: { previous: string }) => {
      if (previous === 'connected') endedAtMs.push(performance.now());
    });
  }
  proxy.retarget(story.cluster.edge(1).process.port);
  const exit = story.cluster.edge(0).process.kill('SIGTERM');
  await eventually(() => endedAtMs.length === 20, { describe: 'every client has left the edge' });
  expect(await exit).toEqual({ code: 0, signal: null });
  await eventually(() => clients.every(client => client.connection.state === 'connected'), { withinMs: 30_000 });
  await eventually(() => clients.every(client => client.channel('presence-room')?.subscribed === true));
  expect(Math.max(...endedAtMs) - Math.min(...endedAtMs), 'spread over some time').toBeGreaterThan(500);
  const busiest = Math.max(...endedAtMs.map(from => endedAtMs.filter(at => at >= from && at < from + 100).length));
  expect(busiest, 'no herd in a tenth of a second').toBeLessThan(14);
  expect(memberIds(watcher).length).toBe(21);
  expect(changes).toEqual([]);
});

test('after a restart of Redis without its data, events flow and rosters are right on both edges', async () => {
  const story = await startPusherStory({ env: { HUBBUB_NODE_LEASE_MS: String(LEASE_MS) } });
  const one = await subscribed(story.client(0, { user: { user_id: 'ann' } }), 'presence-room');
  const other = await subscribed(story.client(1, { user: { user_id: 'bob' } }), 'presence-room');
  await eventually(() => memberIds(one).length === 2);
  await story.cluster.redis.restart({ keepData: false });
  const reached = new Set<string>();
  one.bind('update', () => reached.add('one'));
  other.bind('update', () => reached.add('other'));
  await eventually(
    async () => {
      // Refused while Redis is away.
      await story.server.trigger('presence-room', 'update', {}).catch(() => undefined);
      return reached.size === 2;
    },
    { withinMs: 30_000 },
  );
  await eventually(
    async () => {
      const late = await subscribed(story.client(0, { user: { user_id: 'zoe' } }), 'presence-room');
      return memberIds(late).join() === 'ann,bob,zoe';
    },
    { withinMs: 30_000 },
  );
  expect(memberIds(one)).toEqual(['ann', 'bob', 'zoe']);
  expect(memberIds(other)).toEqual(['ann', 'bob', 'zoe']);
});
