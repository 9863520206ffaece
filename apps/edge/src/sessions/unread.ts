/** Cuts off sessions that read nothing while something waits for them: each holds up to `maxBufferedBytes` of this edge. */
import type { Session } from './session.js';

/** The part of a session that is used. */
export type ReadingSession = Pick<Session, 'closed'> & {
  readonly socket: Pick<Session['socket'], 'getBufferedAmount' | 'close'>;
};

export interface UnreadOptions<Checked extends ReadingSession> {
  readonly sessions: Iterable<Checked>;
  readonly timeoutMs: number;
  /** Called with each session before it is cut off. */
  readonly onUnread: (session: Checked) => void;
}

const CHECKS_PER_TIMEOUT = 4;
/** Sessions that are checked in one turn of the loop: 0.1 ms. */
const CHECKED_PER_TURN = 1000;

export class UnreadWatch<Checked extends ReadingSession> {
  readonly #options: UnreadOptions<Checked>;
  readonly #timer: NodeJS.Timeout;
  /** Since when something waits that is not read. */
  readonly #waitingSinceMs = new Map<Checked, number>();
  #turn: NodeJS.Immediate | undefined;

  constructor(options: UnreadOptions<Checked>) {
    this.#options = options;
    this.#timer = setInterval(() => this.#check(), options.timeoutMs / CHECKS_PER_TIMEOUT).unref();
  }

  /** The session has read something. */
  drained(session: Checked): void {
    if (this.#waitingSinceMs.size > 0) this.#waitingSinceMs.delete(session);
  }

  /** The session has ended. */
  forget(session: Checked): void {
    if (this.#waitingSinceMs.size > 0) this.#waitingSinceMs.delete(session);
  }

  close(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#turn);
  }

  #check(): void {
    if (this.#turn !== undefined) return; // The last round is not over.
    this.#checkSome(this.#options.sessions[Symbol.iterator]());
  }

  #checkSome(sessions: Iterator<Checked>): void {
    this.#turn = undefined;
    const nowMs = performance.now();
    for (let count = 0; count < CHECKED_PER_TURN; count++) {
      const { done, value: session } = sessions.next();
      if (done === true) return;
      this.#checkOne(session, nowMs);
    }
    this.#turn = setImmediate(() => this.#checkSome(sessions));
  }

  #checkOne(session: Checked, nowMs: number): void {
    if (session.closed) return;
    const sinceMs = this.#waitingSinceMs.get(session);
    if (session.socket.getBufferedAmount() === 0) {
      if (sinceMs !== undefined) this.#waitingSinceMs.delete(session);
    } else if (sinceMs === undefined) {
      this.#waitingSinceMs.set(session, nowMs);
    } else if (nowMs - sinceMs >= this.#options.timeoutMs) {
      this.#waitingSinceMs.delete(session);
      this.#options.onUnread(session);
      session.socket.close();
    }
  }
}
