/** A key set by URL: cached, refreshed in the background, read for new keys within bounds, and dropped when too old. Fake clock. */
import { HubbubError } from '@hubbub/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { jwk, keyPair } from '../../../tests/support/jwt.js';
import { KeySetUnavailable } from '../src/admission/keys/fetch-key-set.js';
import type { KeySetGauges, KeySetMetrics } from '../src/admission/keys/key-set-metrics.js';
import { RemoteKeys } from '../src/admission/keys/remote-keys.js';

const REFRESH_MS = 600_000;
const MAX_AGE_MS = 3_600_000;
const pair = keyPair('Ed25519');

let served: string[] | 'away' | 'garbage' | 'slow';
let fetches: number;
let releaseSlow: () => void;
let gauges: KeySetGauges;
const results: string[] = [];
let keys: RemoteKeys;

const metrics: KeySetMetrics = {
  observe: read => {
    gauges = read;
  },
  fetched: () => results.push('ok'),
  fetchFailed: ({ failure }) => results.push(failure),
};

async function fetchServed(): Promise<string> {
  fetches++;
  if (served === 'slow') await new Promise<void>(resolve => (releaseSlow = resolve));
  if (served === 'away') throw new KeySetUnavailable('unreachable');
  if (served === 'garbage') return '<html>';
  return JSON.stringify({ keys: (served === 'slow' ? ['k1'] : served).map(kid => jwk(pair, { kid })) });
}

async function open(first: typeof served = ['k1']): Promise<void> {
  served = first;
  keys = new RemoteKeys({
    fetch: fetchServed,
    refreshMs: REFRESH_MS,
    maxAgeMs: MAX_AGE_MS,
    rsaAlgorithm: 'RS256',
    metrics,
  });
  await pass(0);
}

/** `found`, `unknown`, or the code of the error. */
async function find(kid: string): Promise<string> {
  try {
    return (await keys.find(kid)).length > 0 ? 'found' : 'unknown';
  } catch (error) {
    if (error instanceof HubbubError) return error.code;
    throw error;
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0); // No jitter: the latest of all times.
  fetches = 0;
  results.length = 0;
});
afterEach(() => {
  keys.close();
  expect(vi.getTimerCount(), 'no timer stays').toBe(0);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('a key set by URL', () => {
  test('returns a known key synchronously, without a request', async () => {
    await open();
    expect(keys.find('k1')).toHaveLength(1);
    for (let i = 0; i < 1000; i++) keys.find('k1');
    expect(fetches).toBe(1);
  });

  test('refreshes in the background, each time at a random moment of the last tenth', async () => {
    await open();
    await pass(REFRESH_MS - 1);
    expect(fetches).toBe(1);
    vi.spyOn(Math, 'random').mockReturnValue(1);
    await pass(1);
    expect(fetches).toBe(2);
    await pass(REFRESH_MS * 0.9);
    expect(fetches).toBe(3);
  });

  test('drops a key that is missing from the next reading', async () => {
    await open(['k1', 'k2']);
    served = ['k2'];
    expect(await find('k1')).toBe('found');
    await pass(REFRESH_MS);
    expect([await find('k1'), await find('k2')]).toEqual(['unknown', 'found']);
    expect(gauges.keys()).toBe(1);
  });

  test('reads immediately for a new kid, and then for no kid during a tenth of the interval', async () => {
    await open();
    await pass(REFRESH_MS / 10);
    served = ['k1', 'k2'];
    expect(await find('k2')).toBe('found');
    expect(fetches).toBe(2);
    for (let i = 0; i < 100; i++) expect(await find(`invented-${i}`)).toBe('UNAVAILABLE');
    expect(fetches).toBe(2);
    await pass(REFRESH_MS / 10);
    await find('invented');
    expect(fetches).toBe(3);
  });

  test('does not report a key as unknown that appears after an invented kid, and finds it when the client reconnects', async () => {
    await open();
    await pass(REFRESH_MS / 10);
    expect(await find('invented')).toBe('unknown');
    served = ['k1', 'k2'];
    const refusal = await Promise.resolve()
      .then(() => keys.find('k2'))
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: REFRESH_MS / 10 });
    expect(await find('invented'), 'what is known stays known').toBe('unknown');
    await pass(REFRESH_MS / 10);
    expect(await find('k2')).toBe('found');
  });

  test('remembers at most a thousand unknown kids', async () => {
    await open();
    served = 'slow';
    const waiting = Array.from({ length: 1500 }, (_, i) => find(`invented-${i}`));
    const long = find('x'.repeat(257));
    releaseSlow();
    expect(new Set(await Promise.all([...waiting.slice(500), long]))).toEqual(new Set(['unknown', 'UNAVAILABLE']));
    expect(await find('invented-0')).toBe('UNAVAILABLE');
    expect(await find('invented-1499')).toBe('unknown');
    expect(await long).toBe('UNAVAILABLE');
  });

  test('all requests that wait for a reading share it', async () => {
    await open('slow');
    const waiting = ['k1', 'k1', 'k2', 'k1'].map(find);
    await pass(1000);
    expect(fetches).toBe(1);
    releaseSlow();
    expect(await Promise.all(waiting)).toEqual(['found', 'found', 'unknown', 'found']);
    expect(fetches).toBe(1);
  });

  test.each(['away', 'garbage'] as const)(
    '%s from the start: UNAVAILABLE, and the retries become less frequent',
    async how => {
      vi.spyOn(Math, 'random').mockReturnValue(0);
      await open(how);
      expect(await find('k1')).toBe('UNAVAILABLE');
      expect(fetches).toBe(1);
      for (const [afterMs, count] of [
        [1000, 2],
        [2000, 3],
        [4000, 4],
        [8000, 5],
      ] as const) {
        await pass(afterMs - 1);
        for (let i = 0; i < 10; i++) expect(await find('k1')).toBe('UNAVAILABLE');
        expect(fetches).toBe(count - 1);
        await pass(1);
        expect(fetches).toBe(count);
      }
      await pass(REFRESH_MS);
      expect(fetches, 'never less often than every tenth of the time').toBeGreaterThanOrEqual(5 + 9);
      served = ['k1'];
      await pass(REFRESH_MS / 10);
      expect(await find('k1')).toBe('found');
      expect(gauges.ageSeconds()).toBeLessThan(REFRESH_MS / 10_000);
      expect(new Set(results)).toEqual(new Set([how === 'away' ? 'unreachable' : 'malformed', 'ok']));
    },
  );

  test('after a later outage, known keys stay until the set is too old; new ones, and then all, are UNAVAILABLE', async () => {
    await open();
    served = 'away';
    await pass(REFRESH_MS);
    expect([await find('k1'), await find('k2')]).toEqual(['found', 'UNAVAILABLE']);
    await pass(MAX_AGE_MS - REFRESH_MS - 1);
    expect(await find('k1')).toBe('found');
    expect(gauges.keys()).toBe(1);
    await pass(1);
    expect(await find('k1')).toBe('UNAVAILABLE');
    expect(gauges.keys()).toBe(0);
    expect(gauges.ageSeconds()).toBeCloseTo(MAX_AGE_MS / 1000);
    served = ['k1'];
    await pass(REFRESH_MS / 10);
    expect(await find('k1')).toBe('found');
  });

  test('when the set expires between two readings, it is read again and waiting requests are admitted', async () => {
    served = ['k1'];
    keys = new RemoteKeys({
      fetch: fetchServed,
      refreshMs: 1_000_000,
      maxAgeMs: 500_000,
      rsaAlgorithm: 'RS256',
      metrics,
    });
    await pass(600_000);
    expect(await find('k1')).toBe('found');
    expect(fetches).toBe(2);
  });

  test('an empty set revokes every key', async () => {
    await open();
    served = [];
    await pass(REFRESH_MS);
    expect(await find('k1')).toBe('unknown');
  });

  test('a clock that is set back does not extend the life of a key', async () => {
    await open();
    served = 'away';
    vi.setSystemTime(Date.now() - 10 * MAX_AGE_MS);
    await pass(MAX_AGE_MS);
    expect(await find('k1')).toBe('UNAVAILABLE');
  });

  test('sends no request after it is closed, even with an answer in flight', async () => {
    await open('slow');
    keys.close();
    releaseSlow();
    await pass(10 * REFRESH_MS);
    expect(fetches).toBe(1);
  });
});
