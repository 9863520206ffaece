/** Limits of a publish: its signal and its timeout. Real Redis, behind a network that a test severs. */
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { startRedis } from '../../../tests/support/redis.js';
import { startTcpProxy } from '../../../tests/support/tcp-proxy.js';
import { type CallOptions, connectHubbub, type Hubbub } from '../src/index.js';

const session = { id: 's', node: 'n' };
const reason = new Error('not needed any more');
const publishes: readonly [string, (hubbub: Hubbub, options: CallOptions) => Promise<unknown>, string][] = [
  ['publishToRoom', (hubbub, options) => hubbub.publishToRoom('general', { type: 'a' }, options), 'UNAVAILABLE'],
  ['publishToUser', (hubbub, options) => hubbub.publishToUser('u1', { type: 'a' }, options), 'OUTCOME_UNKNOWN'],
  ['publishToAll', (hubbub, options) => hubbub.publishToAll({ type: 'a' }, options), 'OUTCOME_UNKNOWN'],
  [
    'publishToSession',
    (hubbub, options) => hubbub.publishToSession(session, { type: 'a' }, undefined, options),
    'OUTCOME_UNKNOWN',
  ],
];

function connectNowhere(): Hubbub {
  const hubbub = connectHubbub({ redisUrl: 'redis://127.0.0.1:1', timeoutMs: 600_000 });
  cleanup(() => hubbub.close());
  return hubbub;
}

describe.each(publishes)('%s', (_, publish, code) => {
  test('rejects after its timeout: with UNAVAILABLE only where nothing was handed to the connection', async () => {
    const outcome = publish(connectNowhere(), { timeoutMs: 50 });
    await expect(outcome).rejects.toMatchObject({ code, message: expect.stringContaining('50 ms') });
  });

  test('rejects with the reason of its signal, which aborts before the call or during it', async () => {
    const hubbub = connectNowhere();
    await expect(publish(hubbub, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const outcome = publish(hubbub, { signal: controller.signal });
    controller.abort(reason);
    await expect(outcome).rejects.toBe(reason);
  });

  test('refuses an invalid timeout by name', async () => {
    const outcome = publish(connectNowhere(), { timeoutMs: 0 });
    await expect(outcome).rejects.toMatchObject({
      code: 'INVALID_FORMAT',
      message: expect.stringContaining('timeoutMs'),
    });
  });
});

test('a publish that was given up before it went out is never published', async () => {
  const redis = await startRedis({ own: true });
  const network = await startTcpProxy({ to: redis.port });
  const redisUrl = `redis://127.0.0.1:${network.port}`;
  const hubbub = connectHubbub({ redisUrl, redisPrefix: redis.prefix, timeoutMs: 600_000 });
  cleanup(() => hubbub.close());
  await hubbub.publishToAll({ type: 'connected' });
  network.behave({ blackHole: true });
  const given = hubbub.publishToRoom('general', { type: 'given.up', idempotencyKey: 'k' }, { timeoutMs: 50 });
  const kept = hubbub.publishToRoom('general', { type: 'kept', idempotencyKey: 'k' });
  await expect(given).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  network.behave({});
  expect(await kept).toMatchObject({ repeated: false });
});

test('limits of a publish that succeeds end with it', async () => {
  const redis = await startRedis();
  const hubbub = connectHubbub({ redisUrl: redis.url, redisPrefix: redis.prefix });
  cleanup(() => hubbub.close());
  const { signal } = new AbortController();
  const added: string[] = [];
  for (const name of ['addEventListener', 'removeEventListener'] as const) {
    signal[name] = () => void added.push(name);
  }
  await hubbub.publishToAll({ type: 'a' }, { signal, timeoutMs: 600_000 });
  expect(added).toEqual(['addEventListener', 'removeEventListener']);
});
