/** Moves single sessions to another edge: `reconnect` with a delay of their own, then 1012 (PROTOCOL.md section 8). */
import { CLOSE_CODES, type Frame } from '@hubbub/protocol';
import type { Session } from '../sessions/session.js';

/** The part of a session that its move uses. */
export type MovedSession = Pick<Session, 'state' | 'end'> & {
  readonly send: (frame: Frame) => unknown;
};

export interface SessionMoverOptions {
  /** Of the close frame. */
  readonly reason: string;
  /** Below 4 s it bounds delay and grace to a quarter of it. */
  readonly windowMs: number;
  /** From 0 to 1, for the delays. */
  readonly random?: (() => number) | undefined;
}

export const SLICE_MS = 100;
const DELAY_MAX_MS = 1000;
/** The time between a session's delay and its forced close. */
const GRACE_MAX_MS = 1000;

export class SessionMover {
  readonly delayMaxMs: number;
  readonly graceMs: number;
  readonly #reason: string;
  readonly #random: () => number;
  /** Weak: a mover of aged sessions lives as long as its edge. */
  readonly #asked = new WeakSet<MovedSession>();
  /** Sessions to close, by slice: one timer serves all. */
  readonly #due = new Map<number, MovedSession[]>();
  /** The socket of a closed session may linger. */
  readonly #ended = new WeakSet<MovedSession>();
  #notified = 0;
  #closed = 0;

  constructor({ reason, windowMs, random = Math.random }: SessionMoverOptions) {
    this.#reason = reason;
    this.#random = random;
    this.delayMaxMs = Math.min(DELAY_MAX_MS, windowMs / 4);
    this.graceMs = Math.min(GRACE_MAX_MS, windowMs / 4);
  }

  /** Sessions that got `reconnect`. */
  get notified(): number {
    return this.#notified;
  }

  /** Sessions that did not leave by themselves and were closed. */
  get closed(): number {
    return this.#closed;
  }

  /** Open, and not asked before. */
  canMove(session: MovedSession): boolean {
    return session.state === 'open' && !this.#asked.has(session);
  }

  move(session: MovedSession, atMs: number): void {
    this.#asked.add(session);
    this.#notified++;
    const delayMs = Math.floor(this.#random() * this.delayMaxMs);
    session.send({ type: 'reconnect', payload: { delay_ms: delayMs }, timestamp: new Date().toISOString() });
    const slice = Math.ceil((atMs + delayMs + this.graceMs) / SLICE_MS);
    const together = this.#due.get(slice);
    if (together === undefined) this.#due.set(slice, [session]);
    else together.push(session);
  }

  /** Closes those that outstayed delay and grace. Call it once in each slice. */
  closeDue(atMs: number): void {
    for (const [slice, staying] of this.#due) {
      if (slice * SLICE_MS > atMs) continue;
      this.#due.delete(slice);
      this.close(staying);
    }
  }

  close(staying: Iterable<MovedSession>): void {
    for (const session of staying) {
      if (session.state === 'closed' || this.#ended.has(session)) continue;
      this.#ended.add(session);
      this.#closed++;
      session.end(CLOSE_CODES.SERVICE_RESTART, this.#reason);
    }
  }
}
