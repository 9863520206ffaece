/** A term ends by the holder's clock before Redis gives the lease to another: never two leaders. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Entry, Source } from '../src/consumer/source.js';
import { Term } from '../src/consumer/term.js';

const LEASE_MS = 3000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A Redis that takes the request immediately and answers it `answerAfterMs` later. */
function start(answerAfterMs: () => number) {
  const lease = { endsAtMs: 0 };
  let overs = 0;
  const source = {
    hold: async (_consumer: string, leaseMs: number) => {
      lease.endsAtMs = performance.now() + leaseMs;
      const waitMs = answerAfterMs();
      if (waitMs > 0) await new Promise(resolve => setTimeout(resolve, waitMs));
      return true;
    },
    release: async () => {},
  } as unknown as Source<Entry>;
  const term = new Term(source, { leaseMs: LEASE_MS, onError: () => {}, onOver: () => overs++ });
  return { term, lease, overs: () => overs };
}

test('a lease counts from the request: a late answer makes the term shorter, not the lease longer', async () => {
  let answerAfterMs = 2000;
  const { term, lease, overs } = start(() => answerAfterMs);
  const begun = term.begin();
  await vi.advanceTimersByTimeAsync(2000);
  expect(await begun).toBe(true);
  answerAfterMs = 1_000_000; // From now on Redis takes requests and answers none.
  lease.endsAtMs = LEASE_MS;
  await vi.advanceTimersByTimeAsync(LEASE_MS - 2000 - 1);
  expect(term.held).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
  expect({ held: term.held, aborted: term.signal.aborted, overs: overs() }).toEqual({
    held: false,
    aborted: true,
    overs: 1,
  });
});

test('an answer after the end of the lease begins no term', async () => {
  const { term } = start(() => LEASE_MS + 1);
  const begun = term.begin();
  await vi.advanceTimersByTimeAsync(LEASE_MS + 1);
  await begun;
  expect(term.held).toBe(false);
});

test('a renewal extends the term from its own request', async () => {
  const { term } = start(() => 10);
  const begun = term.begin();
  await vi.advanceTimersByTimeAsync(10);
  await begun;
  await vi.advanceTimersByTimeAsync(10 * LEASE_MS);
  expect(term.held).toBe(true);
  await term.end();
  expect(term.held).toBe(false);
});
