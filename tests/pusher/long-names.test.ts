/** Names of channels as long as Pusher permits, with every character that it permits, in an app with the longest id. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startProcess } from '../support/process.js';
import { memberIds, nextEvent, type PusherStory, startPusherStory, subscribed } from './story.js';

const APP_ID = 'a'.repeat(32);
const CHARACTERS = 'aZ9_-=@,.;';

/** @param last the characters that fill the name up to its length */
function longName(prefix: string, last = CHARACTERS): string {
  return prefix.padEnd(164, last);
}

let story: PusherStory;
/** Channels of the webhooks so far. */
const occupied = new Set<string>();

beforeAll(async () => {
  const receiver = createServer(async (request, response) => {
    const { events } = JSON.parse(await readText(request)) as { events: Array<{ name: string; channel: string }> };
    for (const { channel } of events) occupied.add(channel);
    response.end();
  });
  await new Promise<void>(resolve => receiver.listen(0, '127.0.0.1', resolve));
  cleanup(() => new Promise(resolve => receiver.close(resolve)));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  story = await startPusherStory({ app: { id: APP_ID, webhooks: [{ url, events: ['channel_occupied'] }] } });
  const { redis } = story.cluster;
  await startProcess(['webhooks'], {
    name: 'webhooks',
    env: {
      ...story.env,
      HUBBUB_ADMIN_PORT: '0',
      HUBBUB_REDIS_URL: redis.url,
      HUBBUB_REDIS_PREFIX: redis.prefix,
      HUBBUB_WEBHOOK_DEBOUNCE_MS: '50',
    },
  });
});

test.for([
  longName(''),
  longName('private-'),
  longName('private-encrypted-'),
  longName('cache-'),
  longName('private-encrypted-cache-'),
  longName('presence-'),
  ...Array.from(CHARACTERS, character => longName('presence-cache-', character)),
])('%s: events, the HTTP API and webhooks', { timeout: 30_000 }, async name => {
  const channels = [
    await subscribed(story.client(0, { user: { user_id: 'ann' } }), name),
    await subscribed(story.client(1, { user: { user_id: 'bob' } }), name),
  ];
  const received = Promise.all(channels.map(channel => nextEvent(channel, 'long')));
  if (!name.includes('encrypted')) {
    await story.server.trigger(name, 'long', { n: 1 });
    expect(await received).toEqual([{ n: 1 }, { n: 1 }]);
  }
  if (name.startsWith('presence-')) {
    await eventually(() => channels.every(channel => memberIds(channel).join() === 'ann,bob'));
  }
  const get = async (path: string) => (await story.server.get({ path })).json();
  await eventually(async () => name in ((await get('/channels')) as { channels: object }).channels);
  expect(await get(`/channels/${name}`)).toMatchObject({ occupied: true });
  await eventually(() => occupied.has(name), { withinMs: 15_000 });
});
