/**
 * Sessions that do not read pending data: disconnected after the timeout, neither before nor much later, and forgotten.
 * Sessions with the most pending data: disconnected when all together have too much.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ReadingSession, UnreadWatch } from '../src/sessions/unread.js';

const TIMEOUT_MS = 1000;
const MAX_TOTAL_BYTES = 10_000_000;
const CHECK_MS = TIMEOUT_MS / 4;

class Reader implements ReadingSession {
  buffered = 0;
  checks = 0;
  closed = false;
  readonly socket = {
    getBufferedAmount: () => {
      this.checks++;
      return this.buffered;
    },
    close: () => {
      this.closed = true;
    },
  };
}

const sessions = new Set<Reader>();
const unread: Reader[] = [];
let watch: UnreadWatch<Reader>;
let residentBytes = 0;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setImmediate', 'clearImmediate', 'performance'] });
  sessions.clear();
  unread.length = 0;
  watch = new UnreadWatch({
    sessions,
    timeoutMs: TIMEOUT_MS,
    maxTotalBufferedBytes: MAX_TOTAL_BYTES,
    residentBytes: () => residentBytes,
    onUnread: session => {
      expect(session.closed).toBe(false); // The metric is counted for a session that still exists.
      unread.push(session);
    },
  });
});
afterEach(() => {
  watch.close();
  vi.useRealTimers();
});

function open(buffered: number): Reader {
  const reader = new Reader();
  reader.buffered = buffered;
  sessions.add(reader);
  return reader;
}

test('disconnects a session that reads nothing, at most a quarter of the timeout late', () => {
  const deaf = open(1);
  vi.advanceTimersByTime(TIMEOUT_MS);
  expect(deaf.closed).toBe(false);
  vi.advanceTimersByTime(CHECK_MS);
  expect(deaf.closed).toBe(true);
  expect(unread).toEqual([deaf]);
});

test('each byte that is read restarts the timeout, however much is still pending', () => {
  const slow = open(1_000_000);
  for (let n = 0; n < 10; n++) {
    vi.advanceTimersByTime(TIMEOUT_MS - 1);
    slow.buffered--;
    watch.drained(slow);
  }
  expect(slow.closed).toBe(false);
  vi.advanceTimersByTime(TIMEOUT_MS + CHECK_MS);
  expect(slow.closed).toBe(true);
});

test('a session that had read everything at a check has the whole timeout for later data', () => {
  const reader = open(1);
  vi.advanceTimersByTime(TIMEOUT_MS);
  reader.buffered = 0;
  vi.advanceTimersByTime(CHECK_MS);
  reader.buffered = 1;
  vi.advanceTimersByTime(TIMEOUT_MS);
  expect(reader.closed).toBe(false);
  vi.advanceTimersByTime(CHECK_MS);
  expect(reader.closed).toBe(true);
});

test('a session without pending data stays forever', () => {
  const idle = open(0);
  vi.advanceTimersByTime(20 * TIMEOUT_MS);
  expect(idle.closed).toBe(false);
  expect(unread).toEqual([]);
});

test('does not check an ended session: its socket is gone', () => {
  const gone = open(1);
  vi.advanceTimersByTime(CHECK_MS);
  gone.closed = true;
  const { checks } = gone;
  vi.advanceTimersByTime(2 * TIMEOUT_MS);
  expect(gone.checks).toBe(checks);
  expect(unread).toEqual([]);
});

test('forgets its state of a session when the session ends', () => {
  const session = open(1);
  vi.advanceTimersByTime(TIMEOUT_MS);
  watch.forget(session);
  vi.advanceTimersByTime(TIMEOUT_MS - CHECK_MS);
  expect(session.closed).toBe(false);
});

test('checks many sessions over several turns of the loop, each one once per round', () => {
  const many = Array.from({ length: 2500 }, () => open(1));
  vi.advanceTimersToNextTimer();
  expect(many.filter(({ checks }) => checks > 0)).toHaveLength(1000);
  vi.advanceTimersByTime(CHECK_MS - 1);
  expect(many.every(({ checks }) => checks === 1)).toBe(true);
  vi.advanceTimersByTime(TIMEOUT_MS);
  expect(many.every(({ closed }) => closed)).toBe(true);
  expect(unread).toHaveLength(2500);
});

test('checks no session after it is closed', () => {
  const many = Array.from({ length: 1500 }, () => open(1));
  vi.advanceTimersToNextTimer();
  watch.close();
  vi.advanceTimersByTime(3 * TIMEOUT_MS);
  expect(many.filter(({ checks }) => checks > 0)).toHaveLength(1000);
});

test('checks no session after it is closed between two rounds', () => {
  const deaf = open(1);
  vi.advanceTimersByTime(CHECK_MS);
  watch.close();
  vi.advanceTimersByTime(3 * TIMEOUT_MS);
  expect(deaf.checks).toBe(1);
});

test('when all together have too much pending data, those with the most are disconnected, and only as many as needed', () => {
  const readers = [4_000_000, 1_000_000, 3_500_000, 500_000, 2_000_000, 0].map(open);
  vi.advanceTimersByTime(CHECK_MS);
  expect(readers.map(({ closed }) => closed)).toEqual([true, false, false, false, false, false]);
  expect(watch.bufferedBytes).toBe(7_000_000);
  for (const reader of readers) if (!reader.closed) watch.drained(reader);
  vi.advanceTimersByTime(TIMEOUT_MS);
  expect(readers.filter(({ closed }) => closed)).toHaveLength(1);
});

describe('with a long timeout', () => {
  beforeEach(() => {
    watch.close();
    residentBytes = 0;
    watch = new UnreadWatch({
      sessions,
      timeoutMs: 600_000,
      maxTotalBufferedBytes: MAX_TOTAL_BYTES,
      residentBytes: () => residentBytes,
      onUnread: session => unread.push(session),
    });
  });

  test('a rise of the memory is the reason for an early check', () => {
    const reader = open(MAX_TOTAL_BYTES + 1);
    vi.advanceTimersByTime(5000);
    expect(reader.closed).toBe(false);
    residentBytes += MAX_TOTAL_BYTES;
    vi.advanceTimersByTime(250);
    expect(reader.closed).toBe(true);
  });

  test('much pending data is checked four times a second, little is not', () => {
    const [much, little] = [open(MAX_TOTAL_BYTES / 2), open(1)];
    residentBytes += MAX_TOTAL_BYTES;
    vi.advanceTimersByTime(1000);
    expect(much.checks).toBe(4);
    much.buffered = 0;
    vi.advanceTimersByTime(5000);
    expect(little.checks).toBe(5);
  });
});
