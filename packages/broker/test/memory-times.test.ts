/** The lifetimes of the parts in memory, with a clock that the test turns, and when their envelopes arrive. */
import { encodeEnvelope } from '@hubbub/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { IDEMPOTENCY_WINDOW_MS } from '../src/history.js';
import { MemoryExchange } from '../src/memory/memory-broker.js';
import { MemoryHistory } from '../src/memory/memory-history.js';
import { MemoryNodeLeases } from '../src/memory/memory-node-leases.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

describe('a repeated key', () => {
  const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: 1 }, Buffer.from('{"type":"a"}'));

  test('is known to the broker for the whole window, and not longer', async () => {
    const broker = new MemoryExchange().connect();
    const isRepeated = async (key: string) => (await broker.publishOnce('c', envelope, key)).repeated;
    expect(await isRepeated('a')).toBe(false);
    vi.advanceTimersByTime(IDEMPOTENCY_WINDOW_MS - 1);
    expect([await isRepeated('b'), await isRepeated('a')]).toEqual([false, true]);
    vi.advanceTimersByTime(1);
    expect([await isRepeated('b'), await isRepeated('a')]).toEqual([true, false]);
  });

  test('is known in a history for the whole window, and not longer', async () => {
    const history = new MemoryHistory(new MemoryExchange());
    const append = async () =>
      await history.append({
        room: 'general',
        channel: 'c',
        envelope,
        size: 5,
        ttlMs: 3_600_000,
        idempotencyKey: 'k',
      });
    const first = await append();
    vi.advanceTimersByTime(IDEMPOTENCY_WINDOW_MS - 1);
    expect(await append()).toEqual({ ...first, repeated: true });
    vi.advanceTimersByTime(1);
    expect(await append()).toMatchObject({ offset: first.offset + 1, repeated: false });
  });
});

test('a node that renews its lease lives for a whole lease from then on', async () => {
  const leases = new MemoryNodeLeases({ leaseMs: 1000 });
  await leases.register('edge-1/a');
  vi.advanceTimersByTime(900);
  expect(await leases.renew('edge-1/a')).toBeDefined();
  vi.advanceTimersByTime(999);
  expect(await leases.reap()).toEqual({ dead: [], nextInMs: 1, holdBegan: false });
  expect(await leases.renew('edge-1/a')).toBeDefined();
  vi.advanceTimersByTime(1000);
  await leases.reap();
  expect(await leases.renew('edge-1/a')).toBeUndefined();
});

test('an envelope arrives after the callback that published it, and its microtasks', async () => {
  const exchange = new MemoryExchange();
  const [publisher, subscriber] = [exchange.connect(), exchange.connect()];
  const received: string[] = [];
  subscriber.onEnvelope(channel => received.push(channel));
  await subscriber.subscribe('c');
  await publisher.publish('c', Buffer.from('{}'));
  for (let count = 0; count < 10; count++) await Promise.resolve();
  expect(received).toEqual([]);
  await new Promise(setImmediate);
  expect(received).toEqual(['c']);
});
