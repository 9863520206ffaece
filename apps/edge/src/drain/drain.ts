/**
 * Closes an edge's sessions over a window, in slices, so that other edges do not get them together (PROTOCOL.md
 * section 8, design: "leaving well").
 */
import { CLOSE_CODES, type Frame } from '@hubbub/protocol';
import type { Session } from '../sessions/session.js';

/** The part of a session that the drain uses. */
export type DrainedSession = Pick<Session, 'state' | 'end'> & {
  readonly send: (frame: Frame) => unknown;
};

export interface DrainOptions {
  readonly sessions: Iterable<DrainedSession> & { readonly size: number };
  /** The time after which all sessions are closed. */
  readonly windowMs: number;
  /** How long new sessions may still arrive: connections that were accepted before the port was closed. */
  readonly stragglersMs: number;
  /** Called with each slice. */
  onSlice(remaining: number): void;
  /** From 0 to 1, for the delays. */
  readonly random?: () => number;
}

export interface DrainResult {
  /** Sessions that got `reconnect`. */
  readonly notified: number;
  /** Sessions that did not leave by themselves and were closed. */
  readonly closed: number;
}

const SLICE_MS = 100;
/** A small edge drains before its window ends: a cluster can absorb this many sessions per slice. */
const SLICE_MIN_SESSIONS = 5;
/** The largest delay of a session within its slice; at most a quarter of the window. */
const DELAY_MAX_MS = 1000;
/** The time between a session's delay and its forced close; at most a quarter of the window. */
const GRACE_MAX_MS = 1000;

/**
 * Sends `reconnect` to every session, each with its own delay. Closes sessions that outstay their delay and the grace with
 * 1012. Resolves when no session is left.
 */
export function drainSessions(options: DrainOptions): Promise<DrainResult> {
  const { sessions, windowMs, stragglersMs, onSlice, random = Math.random } = options;
  const delayMaxMs = Math.min(DELAY_MAX_MS, windowMs / 4);
  const graceMs = Math.min(GRACE_MAX_MS, windowMs / 4);
  const lastNotifiedAtMs = windowMs - delayMaxMs - graceMs;
  const sliceSize = Math.max(
    SLICE_MIN_SESSIONS,
    Math.ceil((sessions.size * SLICE_MS) / Math.max(SLICE_MS, lastNotifiedAtMs)),
  );

  const notified = new Set<DrainedSession>();
  let queue: DrainedSession[] = [];
  /** Sessions to close, by slice: one timer serves all. */
  const due = new Map<number, DrainedSession[]>();
  /** The socket of a closed session may linger. */
  const closed = new Set<DrainedSession>();

  /** Includes sessions that arrived after the drain began. A session without a welcome waits for a later slice. */
  function nextReady(): DrainedSession | undefined {
    const isReady = (session: DrainedSession) => session.state === 'open' && !notified.has(session);
    if (queue.length === 0) queue = [...sessions].filter(isReady).reverse();
    for (let session = queue.pop(); session !== undefined; session = queue.pop()) if (isReady(session)) return session;
    return undefined;
  }

  function notifySlice(atMs: number): void {
    const size = atMs < lastNotifiedAtMs ? sliceSize : Number.POSITIVE_INFINITY;
    for (let count = 0; count < size; count++) {
      const session = nextReady();
      if (session === undefined) return;
      notified.add(session);
      const delayMs = Math.floor(random() * delayMaxMs);
      session.send({ type: 'reconnect', payload: { delay_ms: delayMs }, timestamp: new Date().toISOString() });
      const slice = Math.ceil((atMs + delayMs + graceMs) / SLICE_MS);
      const together = due.get(slice);
      if (together === undefined) due.set(slice, [session]);
      else together.push(session);
    }
  }

  function close(leaving: Iterable<DrainedSession>): void {
    for (const session of leaving) {
      if (session.state === 'closed') continue;
      closed.add(session);
      session.end(CLOSE_CODES.SERVICE_RESTART, 'this edge is leaving');
    }
  }

  return new Promise(resolve => {
    const startedAtMs = performance.now();
    const step = (): void => {
      const atMs = performance.now() - startedAtMs;
      notifySlice(atMs);
      for (const [slice, leaving] of due) {
        if (slice * SLICE_MS > atMs) continue;
        due.delete(slice);
        close(leaving);
      }
      if (atMs >= windowMs) close([...sessions]);
      onSlice(sessions.size);
      if (sessions.size > 0 || atMs < stragglersMs) return;
      clearInterval(timer);
      resolve({ notified: notified.size, closed: closed.size });
    };
    const timer = setInterval(step, SLICE_MS);
    step();
  });
}
