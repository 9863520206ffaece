/** Clients and back ends of Pusher, unchanged, talk to each other across two edges. */
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { nextEvent, type PusherStory, startPusherStory, subscribed } from './story.js';

let story: PusherStory;

beforeAll(async () => {
  story = await startPusherStory();
});

describe('a public channel', () => {
  test('delivers an event of the back end to subscribers of both edges, once', async () => {
    const { client, server } = story;
    const one = await subscribed(client(0), 'news');
    const other = await subscribed(client(1), 'news');
    const received: unknown[] = [];
    one.bind('update', (data: unknown) => received.push(['one', data]));
    other.bind('update', (data: unknown) => received.push(['other', data]));
    await server.trigger('news', 'update', { n: 1 });
    const last = Promise.all([nextEvent(one, 'last'), nextEvent(other, 'last')]);
    await server.trigger('news', 'last', {});
    await last;
    expect(received.sort()).toEqual([
      ['one', { n: 1 }],
      ['other', { n: 1 }],
    ]);
  });

  test('leaves out the connection that the back end names', async () => {
    const { client, server } = story;
    const sender = client(0);
    const one = await subscribed(sender, 'news');
    const other = await subscribed(client(1), 'news');
    const received: unknown[] = [];
    one.bind('update', (data: unknown) => received.push(data));
    const update = nextEvent(other, 'update');
    await server.trigger('news', 'update', { n: 1 }, { socket_id: sender.connection.socket_id });
    await update;
    const last = nextEvent(one, 'last');
    await server.trigger('news', 'last', {});
    await last;
    expect(received).toEqual([]);
  });

  test('ends with the unsubscription', async () => {
    const { client, server } = story;
    const one = client(0);
    const news = await subscribed(one, 'news');
    const kept = await subscribed(one, 'kept');
    const received: unknown[] = [];
    news.bind_global((name: string) => received.push(name));
    one.unsubscribe('news');
    const last = nextEvent(kept, 'last');
    await eventually(async () => {
      const { channels } = await answerOf(server.get({ path: '/channels' }));
      return !('news' in channels);
    });
    await server.trigger(['news', 'kept'], 'last', {});
    await last;
    expect(received).toEqual([]);
  });

  test('refuses names that are not channels, or too long', async () => {
    const one = story.client(0);
    await nextEvent(one.connection, 'connected');
    for (const name of ['a#b', 'a b', 'a/b', '', 'a'.repeat(201)]) {
      const error = nextEvent(one, 'pusher:subscription_error');
      one.send_event('pusher:subscribe', { channel: name });
      expect(await error, name).toMatchObject({ type: 'BadRequest', status: 400 });
    }
  });
});

describe('a private channel', () => {
  test('takes a signed subscription, and client events reach the others only', async () => {
    const { client } = story;
    const one = await subscribed(client(0), 'private-chat');
    const other = await subscribed(client(1), 'private-chat');
    const echoes: unknown[] = [];
    one.bind('client-typing', (data: unknown) => echoes.push(data));
    const typing = nextEvent(other, 'client-typing');
    one.trigger('client-typing', { who: 'one' });
    expect(await typing).toEqual({ who: 'one' });
    const answer = nextEvent(one, 'client-answer');
    other.trigger('client-answer', {});
    await answer;
    expect(echoes).toEqual([]);
  });

  test('refuses a wrong signature with 401', async () => {
    const { client } = story;
    const one = client(0, {
      channelAuthorization: {
        transport: 'ajax',
        endpoint: '',
        customHandler: (_params, callback) => callback(null, { auth: '278d425bdf160c739803:00' } as never),
      },
    });
    const channel = one.subscribe('private-chat');
    expect(await nextEvent(channel, 'pusher:subscription_error')).toMatchObject({ type: 'AuthError', status: 401 });
  });

  test('answers too many client events with 4301', async () => {
    const { client } = story;
    const one = client(0);
    const channel = await subscribed(one, 'private-chat');
    const error = nextEvent(one.connection, 'error');
    for (let n = 0; n < 15; n++) channel.trigger('client-n', { n });
    expect(await error).toMatchObject({ type: 'PusherError', data: { code: 4301 } });
  });
});

describe('a connection', () => {
  test('to an unknown app gets 4001, after which clients do not reconnect', async () => {
    const { client } = story;
    const one = client(0, { key: 'unknown' });
    expect(await nextEvent(one.connection, 'error')).toMatchObject({ error: { data: { code: 4001 } } });
    expect(one.connection.state).toBe('disconnected');
  });
});

async function answerOf(response: Promise<{ json(): Promise<unknown> }>) {
  return (await (await response).json()) as { channels: Record<string, unknown> };
}
