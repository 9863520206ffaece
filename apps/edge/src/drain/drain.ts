/**
 * Closes an edge's sessions over a window, in slices, so that other edges do not get them together (PROTOCOL.md
 * section 8, design: "leaving well").
 */
import { CLOSE_CODES, type Frame } from '@hubbub/protocol';
import type { Session } from '../sessions/session.js';

/** The part of a session that the drain uses. */
export type DrainedSession = Pick<Session, 'state'> & {
  readonly send: (frame: Frame) => unknown;
  readonly socket: Pick<Session['socket'], 'end'>;
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
  readonly told: number;
  /** Those of them that did not go by themselves and were closed. */
  readonly closed: number;
}

const SLICE_MS = 100;
/** A small edge is empty before its window ends: no cluster minds this many in a slice. */
const SLICE_MIN_SESSIONS = 5;
/** Within this the sessions of one slice get their own delays; at most a quarter of the window. */
const DELAY_MAX_MS = 1000;
/** How long after its delay a session may still be here before it is closed; at most a quarter of the window. */
const GRACE_MAX_MS = 1000;

/**
 * Sends `reconnect` to every session, each with a delay of its own. Closes with 1012 those that are still here some time
 * after it. Resolves when no session is left.
 */
export function drainSessions(options: DrainOptions): Promise<DrainResult> {
  const { sessions, windowMs, stragglersMs, onSlice, random = Math.random } = options;
  const delayMaxMs = Math.min(DELAY_MAX_MS, windowMs / 4);
  const graceMs = Math.min(GRACE_MAX_MS, windowMs / 4);
  const lastToldAtMs = windowMs - delayMaxMs - graceMs;
  const sliceSize = Math.max(
    SLICE_MIN_SESSIONS,
    Math.ceil((sessions.size * SLICE_MS) / Math.max(SLICE_MS, lastToldAtMs)),
  );

  const told = new Set<DrainedSession>();
  let queue: DrainedSession[] = [];
  /** Those to be closed, by the slice in which that happens: no timer for each. */
  const due = new Map<number, DrainedSession[]>();
  /** The socket of a closed session may linger. */
  const closed = new Set<DrainedSession>();

  /** Also one that arrived after the drain began. A session that is not yet open has had no welcome: a later slice takes it. */
  function nextUntold(): DrainedSession | undefined {
    const isUntold = (session: DrainedSession) => session.state === 'open' && !told.has(session);
    if (queue.length === 0) queue = [...sessions].filter(isUntold).reverse();
    for (let session = queue.pop(); session !== undefined; session = queue.pop()) if (isUntold(session)) return session;
    return undefined;
  }

  function tell(atMs: number): void {
    const size = atMs < lastToldAtMs ? sliceSize : Number.POSITIVE_INFINITY;
    for (let count = 0; count < size; count++) {
      const session = nextUntold();
      if (session === undefined) return;
      told.add(session);
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
      session.socket.end(CLOSE_CODES.SERVICE_RESTART, 'this edge is leaving');
    }
  }

  return new Promise(resolve => {
    const startedAtMs = performance.now();
    const step = (): void => {
      const atMs = performance.now() - startedAtMs;
      tell(atMs);
      for (const [slice, leaving] of due) {
        if (slice * SLICE_MS > atMs) continue;
        due.delete(slice);
        close(leaving);
      }
      if (atMs >= windowMs) close([...sessions]);
      onSlice(sessions.size);
      if (sessions.size > 0 || atMs < stragglersMs) return;
      clearInterval(timer);
      resolve({ told: told.size, closed: closed.size });
    };
    const timer = setInterval(step, SLICE_MS);
    step();
  });
}
