/**
 * Moves sessions over a window, in slices, so that other edges do not get them together (PROTOCOL.md section 8, design:
 * "leaving well").
 */
import { type MovedSession, SessionMover, SLICE_MS } from './session-mover.js';

export interface DrainOptions {
  /** The sessions that move; `size` is the number of those that are still here. */
  readonly sessions: Iterable<MovedSession> & { readonly size: number };
  /** Of the close frame. */
  readonly reason: string;
  /** The time after which all sessions are closed. */
  readonly windowMs: number;
  /** How long new sessions may still arrive: connections that were accepted before the port was closed. */
  readonly stragglersMs: number;
  /** Called with each slice. */
  onSlice(remaining: number): void;
  /** Ends the drain early. */
  readonly signal?: AbortSignal;
  /** From 0 to 1, for the delays. */
  readonly random?: () => number;
}

export interface DrainResult {
  /** Sessions that got `reconnect`. */
  readonly notified: number;
  /** Sessions that did not leave by themselves and were closed. */
  readonly closed: number;
}

/** A small edge drains before its window ends: a cluster can absorb this many sessions per slice. */
const SLICE_MIN_SESSIONS = 5;

/**
 * Sends `reconnect` to every session, each with its own delay. Closes sessions that outstay their delay and the grace with
 * 1012. Resolves when no session is left.
 */
export function drainSessions(options: DrainOptions): Promise<DrainResult> {
  const { sessions, windowMs, stragglersMs, onSlice, signal } = options;
  const mover = new SessionMover(options);
  const lastNotifiedAtMs = windowMs - mover.delayMaxMs - mover.graceMs;
  const sliceSize = Math.max(
    SLICE_MIN_SESSIONS,
    Math.ceil((sessions.size * SLICE_MS) / Math.max(SLICE_MS, lastNotifiedAtMs)),
  );
  let queue: MovedSession[] = [];

  /** Includes sessions that arrived after the drain began. A session without a welcome waits for a later slice. */
  function nextReady(): MovedSession | undefined {
    if (queue.length === 0) queue = [...sessions].filter(session => mover.canMove(session)).reverse();
    for (let session = queue.pop(); session !== undefined; session = queue.pop()) {
      if (mover.canMove(session)) return session;
    }
    return undefined;
  }

  function moveSlice(atMs: number): void {
    const size = atMs < lastNotifiedAtMs ? sliceSize : Number.POSITIVE_INFINITY;
    for (let count = 0; count < size; count++) {
      const session = nextReady();
      if (session === undefined) return;
      mover.move(session, atMs);
    }
  }

  return new Promise(resolve => {
    const startedAtMs = performance.now();
    const step = (): void => {
      const atMs = performance.now() - startedAtMs;
      if (signal?.aborted !== true) {
        moveSlice(atMs);
        mover.closeDue(atMs);
        if (atMs >= windowMs) mover.close([...sessions]);
        onSlice(sessions.size);
        if (sessions.size > 0 || atMs < stragglersMs) return;
      }
      clearInterval(timer);
      resolve({ notified: mover.notified, closed: mover.closed });
    };
    const timer = setInterval(step, SLICE_MS);
    step();
  });
}
