/** A service that closed its Hubbub: later requests are refused immediately, not after the timeout. */
import { HubbubError } from '@hubbub/protocol';
import { describe, expect, test } from 'vitest';
import { startRedis } from '../../../tests/support/redis.js';
import { connectHubbub, type Hubbub } from '../src/index.js';
import { connectService, consumerStory, gate } from './service-stories.js';

/** Longer than a test may take: a test that waits for it fails. */
const TIMEOUT_MS = 300_000;

const session = { id: 's', node: 'n' };
const requests: readonly [string, (hubbub: Hubbub) => Promise<unknown>][] = [
  ['publishToRoom', hubbub => hubbub.publishToRoom('general', { type: 'a' })],
  ['publishToUser', hubbub => hubbub.publishToUser('u1', { type: 'a' })],
  ['publishToAll', hubbub => hubbub.publishToAll({ type: 'a' })],
  ['publishToSession', hubbub => hubbub.publishToSession(session, { type: 'a' })],
  ['closeRoom', hubbub => hubbub.closeRoom('general')],
  ['removeFromRoom', hubbub => hubbub.removeFromRoom('general', 'u1')],
  ['disconnectUser', hubbub => hubbub.disconnectUser('u1')],
  ['addToRoom', hubbub => hubbub.addToRoom('general', session)],
  ['removeSession', hubbub => hubbub.removeSession('general', session)],
  ['deadLetters', hubbub => hubbub.deadLetters('game', 'referee')],
];

const refused = (promise: Promise<unknown>) =>
  expect(promise).rejects.toMatchObject({
    name: 'HubbubError',
    code: 'UNAVAILABLE',
    message: 'This Hubbub is closed.',
  });

describe.each(requests)('%s', (_, request) => {
  test('is refused while the connections close, and after that', async () => {
    const redis = await startRedis();
    const hubbub = connectHubbub({ redisUrl: redis.url, redisPrefix: redis.prefix, timeoutMs: TIMEOUT_MS });
    await request(hubbub);
    const closed = hubbub.close();
    await refused(request(hubbub));
    await closed;
    await refused(request(hubbub));
  });
});

test('requests that wait for a Redis that is down end with close()', async () => {
  const hubbub = connectHubbub({ redisUrl: 'redis://127.0.0.1:1', timeoutMs: TIMEOUT_MS });
  const waiting = requests.map(([, request]) => request(hubbub).catch(error => error));
  await hubbub.close();
  for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(HubbubError);
});

test('handlers that run during close() may publish until they finish', async () => {
  const { redis, tell } = await consumerStory();
  await tell('game:a', 'move');
  const hubbub = connectService(redis);
  const begun = gate();
  const released = gate();
  const published: unknown[] = [];
  hubbub.onEvents('game', { group: 'referee' }, async () => {
    begun.open();
    await released.opened;
    published.push(await hubbub.publishToAll({ type: 'a' }));
  });
  await begun.opened;
  const closed = hubbub.close();
  released.open();
  await closed;
  expect(published).toEqual([{}]);
  await refused(hubbub.publishToAll({ type: 'a' }));
});
