/** Webhooks in Pusher's format, read with its server SDK; and channels whose events only their members can read. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { eventually } from '@hubbub/tools/kit';
import PusherServer from 'pusher';
import { beforeAll, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { runHubbub, startProcess } from '../support/process.js';
import { APP, nextEvent, type PusherStory, startPusherStory, subscribed } from './story.js';

interface WebhookEvent {
  readonly name: string;
  readonly channel: string;
}

let story: PusherStory;
let failures = 2;
const received: WebhookEvent[] = [];
const problems: string[] = [];

beforeAll(async () => {
  const sdk = new PusherServer({ ...{ appId: APP.id, key: APP.key, secret: APP.secret }, cluster: 'x' });
  const server = createServer((request, response) => {
    void readText(request).then(rawBody => {
      const webhook = sdk.webhook({ headers: request.headers, rawBody } as never);
      if (!webhook.isValid()) problems.push(rawBody);
      else if (failures === 0) received.push(...(webhook.getEvents() as unknown as WebhookEvent[]));
      const isRejected = rawBody.includes('private-rejected');
      response.writeHead(failures > 0 ? 500 : isRejected ? 422 : 200).end();
      failures = Math.max(0, failures - 1);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanup(() => new Promise(resolve => server.close(resolve)));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/pusher`;
  const events = [
    'channel_occupied',
    'channel_vacated',
    'member_added',
    'member_removed',
    'client_event',
    'cache_miss',
  ];
  story = await startPusherStory({ app: { leaveGraceMs: 100, webhooks: [{ url, events }] } });
  await startProcess(['webhooks'], {
    name: 'webhooks',
    env: {
      ...story.env,
      HUBBUB_ADMIN_PORT: '0',
      HUBBUB_REDIS_URL: story.cluster.redis.url,
      HUBBUB_REDIS_PREFIX: story.cluster.redis.prefix,
      HUBBUB_WEBHOOK_RETRY_DELAY_MS: '50',
      HUBBUB_WEBHOOK_DEBOUNCE_MS: '200',
    },
  });
});

test('a back end learns of channels, members, client events and cache misses, also after failures of its own', async () => {
  const ann = { user_id: 'ann' };
  const client = story.client(0, { user: ann });
  await subscribed(client, 'presence-room');
  const chat = await subscribed(client, 'private-chat');
  client.subscribe('cache-empty');
  chat.trigger('client-move', { x: 1 });
  const has = (event: object) => {
    const wanted = JSON.stringify(event);
    return () => received.some(one => JSON.stringify(one) === wanted);
  };
  await eventually(has({ name: 'channel_occupied', channel: 'private-chat' }), { withinMs: 15_000 });
  await eventually(has({ name: 'member_added', channel: 'presence-room', user_id: 'ann' }));
  const move = { name: 'client_event', channel: 'private-chat', event: 'client-move', data: '{"x":1}' };
  await eventually(has({ ...move, socket_id: client.connection.socket_id }));
  await eventually(has({ name: 'cache_miss', channel: 'cache-empty' }));
  client.disconnect();
  await eventually(has({ name: 'member_removed', channel: 'presence-room', user_id: 'ann' }), { withinMs: 15_000 });
  await eventually(has({ name: 'channel_vacated', channel: 'private-chat' }), { withinMs: 15_000 });
  expect(problems).toEqual([]);
});

test('an event that the back end rejects is a dead letter of the webhook of the app', async () => {
  await subscribed(story.client(), 'private-rejected');
  const { url, prefix } = story.cluster.redis;
  const env = { ...story.env, HUBBUB_REDIS_URL: url, HUBBUB_REDIS_PREFIX: prefix };
  const letters = () => runHubbub(['webhooks', 'dead-letters', `pusher.${APP.id}.1`], env);
  await eventually(async () => /room_occupied.*private-rejected.*answered 422/.test((await letters()).stdout), {
    withinMs: 15_000,
  });
});

test('an encrypted channel delivers what only its members can read, and takes no client events', async () => {
  const channel = await subscribed(story.client(1), 'private-encrypted-talk');
  const secret = nextEvent(channel, 'secret');
  // A client without the key of the channel gets the encrypted form.
  const raw = story.client(0);
  await nextEvent(raw.connection, 'connected');
  const seen = new Promise<unknown>(resolve => {
    raw.connection.bind('message', (message: { event: string; data: unknown }) => {
      if (message.event === 'secret') resolve(message.data);
    });
  });
  const succeeded = nextEvent(raw.connection, 'message');
  const { auth } = story.server.authorizeChannel(raw.connection.socket_id, 'private-encrypted-talk');
  raw.send_event('pusher:subscribe', { channel: 'private-encrypted-talk', auth });
  await succeeded;
  await story.server.trigger('private-encrypted-talk', 'secret', { n: 42 });
  expect(await secret).toEqual({ n: 42 });
  expect(Object.keys((await seen) as object).sort()).toEqual(['ciphertext', 'nonce']);
  const refused = nextEvent(raw.connection, 'error');
  raw.send_event('client-x', {}, 'private-encrypted-talk');
  expect(await refused).toMatchObject({ data: { code: 4009 } });
});
