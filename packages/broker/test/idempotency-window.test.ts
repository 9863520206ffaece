/** An idempotency key is remembered for its own window, whatever the lifetime of its message. */
import { expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { startRedis } from '../../../tests/support/redis.js';
import { IDEMPOTENCY_WINDOW_MS } from '../src/history.js';
import { openRedisBrokerClient } from '../src/redis/redis-broker-client.js';

const HOUR_MS = 3_600_000;

test.each([HOUR_MS, 1000])('in histories and logs that live for %i ms, and without any', async ttlMs => {
  const redis = await startRedis();
  const brokerClient = openRedisBrokerClient(redis.url, {
    prefix: redis.prefix,
    commandTimeoutMs: 5000,
    nodeLeaseMs: 10_000,
    waitForConnection: true,
    onError: () => {},
  });
  cleanup(() => brokerClient.close());
  const envelope = Buffer.from('\u0001{"e":"j","t":1}\u0002{"type":"a"}');
  const channel = `${redis.prefix}:room:{a}`;
  await brokerClient.broker.publishOnce(channel, envelope, 'once');
  await brokerClient.broker.publishKept(channel, envelope, 'kept');
  await brokerClient.history.append({ room: 'a', channel, envelope, size: 10, ttlMs, idempotencyKey: 'history' });
  const event = {
    ...{ type: 'told', id: '1', payload: {}, user: { id: 'u', name: 'U' } },
    ...{ session: { id: 's', node: 'n' }, rooms: [], atMs: 1 },
  };
  await brokerClient.events.append({ namespace: 'a', event, idempotencyKey: 'event', maxLength: 10, ttlMs });
  for (const key of ['once', 'kept', 'history', 'event']) {
    const [name = 'no such key'] = (await redis.cli('KEYS', `${redis.prefix}*:id:${key}`)).split('\n');
    const leftMs = Number(await redis.cli('PTTL', name));
    expect(leftMs, key).toBeLessThanOrEqual(IDEMPOTENCY_WINDOW_MS);
    expect(leftMs, key).toBeGreaterThan(IDEMPOTENCY_WINDOW_MS - 60_000);
  }
});
