/** Presence and cache channels of the Pusher protocol, and what the HTTP API answers about channels. */
import { eventually } from '@hubbub/tools/kit';
import PusherServer from 'pusher';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApi } from '../api/api-process.js';
import { APP, memberIds, nextEvent, type PusherStory, startPusherStory, subscribed } from './story.js';

let story: PusherStory;

beforeAll(async () => {
  story = await startPusherStory({ app: { leaveGraceMs: 500 } });
});

const ann = { user_id: 'ann', user_info: { name: 'Ann', role: 'host' } };
const bob = { user_id: 'bob', user_info: { name: 'Bob', tags: ['x', 1] } };

describe('a presence channel', () => {
  test('has the same members on both edges, with their user_info, and reports who comes and goes once', async () => {
    const one = await subscribed(story.client(0, { user: ann }), 'presence-room');
    const added: unknown[] = [];
    const removed: unknown[] = [];
    one.bind('pusher:member_added', (member: unknown) => added.push(member));
    one.bind('pusher:member_removed', (member: unknown) => removed.push(member));
    const bobsClient = story.client(1, { user: bob });
    const other = await subscribed(bobsClient, 'presence-room');
    expect(memberIds(other)).toEqual(['ann', 'bob']);
    expect((other as never as { members: { me: unknown } }).members.me).toEqual({ id: 'bob', info: bob.user_info });
    const bobsPhone = story.client(0, { user: bob });
    await subscribed(bobsPhone, 'presence-room');
    await eventually(() => added.length === 1);
    bobsPhone.disconnect();
    bobsClient.unsubscribe('presence-room');
    await eventually(() => removed.length === 1);
    expect(added).toEqual([{ id: 'bob', info: bob.user_info }]);
    expect(removed).toEqual([{ id: 'bob', info: bob.user_info }]);
    expect(memberIds(one)).toEqual(['ann']);
  });

  test('names a client another user in another channel', async () => {
    const watcher = await subscribed(story.client(1, { user: ann }), 'presence-a');
    let name = 'first';
    const client = story.client(0, {
      channelAuthorization: {
        transport: 'ajax',
        endpoint: '',
        customHandler: ({ socketId, channelName }, callback) =>
          callback(null, story.server.authorizeChannel(socketId, channelName, { user_id: name }) as never),
      },
    });
    const added = nextEvent(watcher, 'pusher:member_added');
    await subscribed(client, 'presence-a');
    expect(await added).toMatchObject({ id: 'first' });
    name = 'second';
    expect(memberIds(await subscribed(client, 'presence-b'))).toEqual(['second']);
  });

  test('has one member for a connection that subscribes again as another one', async () => {
    const watcher = await subscribed(story.client(1, { user: ann }), 'presence-again');
    const changes: unknown[] = [];
    watcher.bind('pusher:member_added', ({ id }: { id: string }) => changes.push(`added ${id}`));
    watcher.bind('pusher:member_removed', ({ id }: { id: string }) => changes.push(`removed ${id}`));
    const client = story.client(0, { user: { user_id: 'first' } });
    await subscribed(client, 'presence-again');
    const signed = story.server.authorizeChannel(client.connection.socket_id, 'presence-again', { user_id: 'second' });
    client.send_event('pusher:subscribe', { channel: 'presence-again', ...signed });
    await eventually(() => changes.length === 3);
    client.send_event('pusher:unsubscribe', { channel: 'presence-again' });
    await eventually(() => changes.length === 4);
    expect(changes).toEqual(['added first', 'removed first', 'added second', 'removed second']);
    expect(memberIds(watcher)).toEqual(['ann']);
  });

  test('adds the id of the sender to client events', async () => {
    const one = await subscribed(story.client(0, { user: ann }), 'presence-talk');
    const other = await subscribed(story.client(1, { user: bob }), 'presence-talk');
    const metadata = new Promise(resolve => {
      other.bind('client-hi', (_data: unknown, more: unknown) => resolve(more));
    });
    one.trigger('client-hi', {});
    expect(await metadata).toEqual({ user_id: 'ann' });
  });

  test('refuses a user_info of more than 1,024 bytes', async () => {
    const user = { user_id: 'big', user_info: { text: 'x'.repeat(1100) } };
    const channel = story.client(0, { user }).subscribe('presence-room');
    expect(await nextEvent(channel, 'pusher:subscription_error')).toMatchObject({ status: 400 });
  });
});

describe('a cache channel', () => {
  test.for(['cache-score', 'private-cache-score', 'presence-cache-score'])(
    '%s: miss, then the last event',
    async name => {
      const first = story.client(0).subscribe(name);
      await nextEvent(first, 'pusher:cache_miss');
      await story.server.trigger(name, 'goal', { n: 1 });
      await story.server.trigger(name, 'goal', { n: 2 });
      const events: Array<[event: string, data: unknown]> = [];
      const late = story.client(1).subscribe(name);
      late.bind_global((event: string, data: unknown) => events.push([event, data]));
      await eventually(() => late.subscribed && events.some(([event]) => event === 'goal'));
      expect(events.filter(([event]) => !event.startsWith('pusher:'))).toEqual([['goal', { n: 2 }]]);
      expect(await answerOf(`/channels/${name}`, { info: 'cache' })).toMatchObject({
        cache: { data: '{"n":2}', ttl: expect.any(Number) },
      });
    },
  );
});

describe('the HTTP API', () => {
  test('lists occupied channels, and counts users and subscriptions', async () => {
    await subscribed(story.client(0, { user: ann }), 'presence-counted');
    await subscribed(story.client(1, { user: ann }), 'presence-counted');
    await subscribed(story.client(1, { user: bob }), 'presence-counted');
    await subscribed(story.client(0), 'private-counted');
    await subscribed(story.client(1), 'private-counted');
    await eventually(async () => {
      const { channels } = (await answerOf('/channels', {})) as { channels: object };
      return 'presence-counted' in channels && 'private-counted' in channels;
    });
    expect(await answerOf('/channels', { filter_by_prefix: 'presence-counted', info: 'user_count' })).toEqual({
      channels: { 'presence-counted': { user_count: 2 } },
    });
    const info = 'user_count,subscription_count';
    await eventually(async () => {
      const answer = (await answerOf('/channels/presence-counted', { info })) as Record<string, unknown>;
      return answer.subscription_count === 3;
    });
    expect(await answerOf('/channels/presence-counted', { info })).toEqual({
      occupied: true,
      user_count: 2,
      subscription_count: 3,
    });
    expect(await answerOf('/channels/private-counted', { info: 'subscription_count' })).toEqual({
      occupied: true,
      subscription_count: 2,
    });
    expect(await answerOf('/channels/nobody', {})).toEqual({ occupied: false });
    const users = (await answerOf('/channels/presence-counted/users', {})) as { users: Array<{ id: string }> };
    expect(users.users.map(({ id }) => id).sort()).toEqual(['ann', 'bob']);
  });

  test('answers info of the channels of an event, and refuses what a channel does not have', async () => {
    await subscribed(story.client(0, { user: ann }), 'presence-info');
    await eventually(async () => ((await answerOf('/channels/presence-info', {})) as { occupied: boolean }).occupied);
    const info = 'user_count,subscription_count';
    const answer = await story.server.trigger(['presence-info', 'other'], 'e', {}, { info });
    expect(await answer.json()).toEqual({
      channels: { 'presence-info': { user_count: 1, subscription_count: 1 }, other: { subscription_count: 0 } },
    });
    const batch = [
      { channel: 'presence-info', name: 'e', data: {}, info: 'user_count' },
      { channel: 'other', name: 'e', data: {} },
    ];
    expect(await (await story.server.triggerBatch(batch)).json()).toEqual({ batch: [{ user_count: 1 }, {}] });
    await expect(answerOf('/channels/private-x', { info: 'user_count' })).rejects.toMatchObject({ status: 400 });
    await expect(answerOf('/channels', { info: 'user_count' })).rejects.toMatchObject({ status: 400 });
    await expect(answerOf('/channels/private-x/users', {})).rejects.toMatchObject({ status: 400 });
  });
});

describe('the HTTP API without presence', () => {
  test('publishes nothing where it cannot answer info, so that a repeated request publishes once', async () => {
    const api = await startApi({ redis: story.cluster.redis, presence: [] }, { env: story.env, name: 'api-alone' });
    const { id, key, secret } = APP;
    const options = { appId: id, key, secret, host: '127.0.0.1', port: String(api.process.port), useTLS: false };
    const server = new PusherServer(options);
    const channel = await subscribed(story.client(0), 'alone');
    const received: unknown[] = [];
    channel.bind('first', () => received.push('first'));
    const last = nextEvent(channel, 'last');
    const info = { info: 'subscription_count' };
    await expect(server.trigger('alone', 'first', {}, info)).rejects.toMatchObject({ status: 503 });
    await server.trigger('alone', 'last', {});
    await last;
    expect(received).toEqual([]);
  });
});

async function answerOf(path: string, params: Record<string, string>): Promise<unknown> {
  return await (await story.server.get({ path, params })).json();
}
