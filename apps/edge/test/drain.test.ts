/** The schedule of a drain: each session is notified once, spread over the window, and no session is left at its end. */
import type { Frame } from '@hubbub/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type DrainResult, drainSessions } from '../src/drain/drain.js';
import type { MovedSession } from '../src/drain/session-mover.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

class FakeSession implements MovedSession {
  state: MovedSession['state'] = 'open';
  notifiedAtMs: number | undefined;
  delayMs: number | undefined;
  goneAtMs: number | undefined;
  closedWith: number | undefined;

  constructor(
    readonly edge: FakeEdge,
    /** Leaves by itself after its delay, as the client SDK does. */
    readonly obeys: boolean,
  ) {}

  send(frame: Frame): void {
    expect(frame.type).toBe('reconnect');
    expect(this.notifiedAtMs, 'notified once').toBeUndefined();
    this.notifiedAtMs = this.edge.nowMs;
    this.delayMs = frame.payload?.delay_ms as number;
    if (this.obeys) setTimeout(() => this.go(), this.delayMs);
  }

  go(): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.goneAtMs = this.edge.nowMs;
    this.edge.sessions.delete(this);
  }

  /** The socket of a closed session disappears only after this time. */
  lingersMs = 0;

  end(code: number): void {
    expect(this.state, 'a closed socket must not be touched').not.toBe('closed');
    this.closedWith = code;
    if (this.lingersMs === 0) this.go();
    else setTimeout(() => this.go(), this.lingersMs);
  }
}

class FakeEdge {
  readonly sessions = new Set<FakeSession>();
  readonly all: FakeSession[] = [];
  readonly slices: number[] = [];
  result: DrainResult | undefined;
  endedAtMs: number | undefined;
  readonly #startMs = performance.now();

  constructor(count = 0, obeys = true) {
    for (let i = 0; i < count; i++) this.open(obeys);
  }

  get nowMs(): number {
    return performance.now() - this.#startMs;
  }

  open(obeys = true): FakeSession {
    const session = new FakeSession(this, obeys);
    this.sessions.add(session);
    this.all.push(session);
    return session;
  }

  drain(windowMs: number, { stragglersMs = 0, random = Math.random } = {}): void {
    const { sessions } = this;
    void drainSessions({
      sessions,
      reason: 'leaving',
      windowMs,
      stragglersMs,
      random,
      onSlice: left => this.slices.push(left),
    }).then(result => {
      this.result = result;
      this.endedAtMs = this.nowMs;
    });
  }
}

/** The most sessions that left within one second. */
function busiestSecond(sessions: readonly FakeSession[]): number {
  const times = sessions.map(({ goneAtMs }) => goneAtMs ?? 0).sort((a, b) => a - b);
  return Math.max(...times.map(from => times.filter(at => at >= from && at < from + 1000).length));
}

describe('a drain', () => {
  test('of an empty edge ends immediately', async () => {
    const edge = new FakeEdge();
    edge.drain(10_000);
    await vi.advanceTimersByTimeAsync(0);
    expect(edge).toMatchObject({ result: { notified: 0, closed: 0 }, endedAtMs: 0 });
  });

  test.each([true, false])(
    'of 10,000 sessions is spread over the window and ends within it (clients obey: %s)',
    async obeys => {
      const edge = new FakeEdge(10_000, obeys);
      edge.drain(10_000);
      await vi.advanceTimersByTimeAsync(10_000);
      expect(edge.result).toEqual({ notified: 10_000, closed: obeys ? 0 : 10_000 });
      expect(edge.endedAtMs).toBeGreaterThan(7000);
      expect(edge.endedAtMs).toBeLessThanOrEqual(10_000);
      expect(busiestSecond(edge.all)).toBeLessThan(1500);
      for (const { closedWith } of edge.all) expect(closedWith).toBe(obeys ? undefined : 1012);
      expect(edge.slices.every((left, i) => i === 0 || left <= (edge.slices[i - 1] ?? 0))).toBe(true);
    },
  );

  test('gives the sessions of a slice different delays, and closes a session only after its delay and the grace', async () => {
    const edge = new FakeEdge(1000, false);
    edge.drain(10_000);
    await vi.advanceTimersByTimeAsync(10_000);
    const first = edge.all.filter(({ notifiedAtMs }) => notifiedAtMs === 0);
    expect(new Set(first.map(({ delayMs }) => delayMs)).size).toBeGreaterThan(first.length / 2);
    for (const { notifiedAtMs = 0, delayMs = 0, goneAtMs = 0 } of edge.all) {
      const patienceMs = goneAtMs - notifiedAtMs - delayMs;
      expect(patienceMs).toBeGreaterThanOrEqual(1000);
      expect(patienceMs).toBeLessThanOrEqual(1200);
    }
  });

  test('of a few sessions does not take the whole window', async () => {
    const edge = new FakeEdge(3, false);
    edge.drain(10_000);
    await vi.advanceTimersByTimeAsync(2200);
    expect(edge.result).toEqual({ notified: 3, closed: 3 });
  });

  test('counts a session once if it closed it and the socket lingers past the window', async () => {
    const edge = new FakeEdge(3, false);
    for (const session of edge.all) session.lingersMs = 10_000;
    edge.drain(4000);
    await vi.advanceTimersByTimeAsync(14_000);
    expect(edge.result).toEqual({ notified: 3, closed: 3 });
  });

  test('waits for stragglers and drains them too, whenever they arrive', async () => {
    const edge = new FakeEdge(200, false);
    edge.drain(4000, { stragglersMs: 500, random: () => 0.9 });
    await vi.advanceTimersByTimeAsync(450);
    const straggler = edge.open(false);
    await vi.advanceTimersByTimeAsync(2950);
    const late = edge.open(false);
    await vi.advanceTimersByTimeAsync(600);
    expect(edge.result).toMatchObject({ notified: 202 });
    expect(straggler.notifiedAtMs).toBeLessThan(2500);
    expect(late.closedWith).toBe(1012);
  });

  test('notifies a session only after its welcome, and closes one without a welcome at the end of the window', async () => {
    const edge = new FakeEdge(2, false);
    const [soon, never] = edge.all;
    for (const session of edge.all) session.state = 'opening';
    edge.drain(4000);
    await vi.advanceTimersByTimeAsync(150);
    if (soon !== undefined) soon.state = 'open';
    await vi.advanceTimersByTimeAsync(3849);
    expect(soon?.notifiedAtMs).toBe(200);
    expect(never).toMatchObject({ notifiedAtMs: undefined, state: 'opening' });
    await vi.advanceTimersByTimeAsync(1);
    expect(never).toMatchObject({ closedWith: 1012, notifiedAtMs: undefined });
    expect(edge.result).toEqual({ notified: 1, closed: 2 });
  });

  test('without a window closes every session immediately', async () => {
    const edge = new FakeEdge(1000, false);
    edge.drain(0);
    await vi.advanceTimersByTimeAsync(0);
    expect(edge).toMatchObject({ result: { notified: 1000, closed: 1000 }, endedAtMs: 0 });
  });
});
