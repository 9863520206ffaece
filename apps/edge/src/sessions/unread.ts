/** Bounds what waits for slow readers: disconnects those that read nothing, and the worst ones where all together have too much. */
import type { Session } from './session.js';

/** The part of a session that is used. */
export type ReadingSession = Pick<Session, 'closed'> & {
  readonly socket: Pick<Session['socket'], 'getBufferedAmount' | 'close'>;
};

export type UnreadReason = 'unread_time' | 'total_buffered_bytes';

export interface UnreadOptions<Checked extends ReadingSession> {
  readonly sessions: Iterable<Checked>;
  /** A session that reads nothing for that long is disconnected. */
  readonly timeoutMs: number;
  /** Of all sessions. */
  readonly maxTotalBufferedBytes: number;
  /** Called with each session before it is disconnected. */
  readonly onUnread: (session: Checked, reason: UnreadReason) => void;
  /** Memory of the process in bytes: a rise is the reason for an early check. */
  readonly residentBytes?: () => number;
}

const CHECKS_PER_TIMEOUT = 4;
/** Whether a check is due is decided so often: a burst to many slow readers takes about a second to fill the buffers. */
const DECISION_MS = 250;
/** Sessions that are checked in one turn of the loop: 0.1 ms. */
const CHECKED_PER_TURN = 1000;
/** From this part of the bound on, buffers are checked with each decision. */
const WATCHED_PART = 0.25;
/** Disconnecting stops below this part of the bound, so that the next message does not begin it again. */
const RELIEVED_PART = 0.9;

interface Waiting {
  /** Since when nothing was read. */
  sinceMs: number;
  bytes: number;
}

export class UnreadWatch<Checked extends ReadingSession> {
  readonly #options: UnreadOptions<Checked>;
  readonly #residentBytes: () => number;
  readonly #timer: NodeJS.Timeout;
  readonly #waiting = new Map<Checked, Waiting>();
  #turn: NodeJS.Immediate | undefined;
  #checkedAtMs = performance.now();
  #checkedResidentBytes: number;
  #bufferedBytes = 0;

  constructor(options: UnreadOptions<Checked>) {
    this.#options = options;
    this.#residentBytes = options.residentBytes ?? (() => process.memoryUsage.rss());
    this.#checkedResidentBytes = this.#residentBytes();
    const intervalMs = Math.min(DECISION_MS, options.timeoutMs / CHECKS_PER_TIMEOUT);
    this.#timer = setInterval(() => this.#decide(), intervalMs).unref();
  }

  /** Bytes that waited for all sessions at the last check. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** The session has read something. */
  drained(session: Checked): void {
    if (this.#waiting.size > 0) this.#waiting.delete(session);
  }

  /** The session has ended. */
  forget(session: Checked): void {
    if (this.#waiting.size > 0) this.#waiting.delete(session);
  }

  close(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#turn);
  }

  #decide(): void {
    if (this.#turn !== undefined) return; // The last check is not over.
    const { timeoutMs, maxTotalBufferedBytes } = this.#options;
    const watchedBytes = maxTotalBufferedBytes * WATCHED_PART;
    const residentBytes = this.#residentBytes();
    const isDue = performance.now() - this.#checkedAtMs >= timeoutMs / CHECKS_PER_TIMEOUT;
    const hasRisen = residentBytes - this.#checkedResidentBytes > watchedBytes;
    if (!isDue && !hasRisen && this.#bufferedBytes < watchedBytes) return;
    this.#checkedAtMs = performance.now();
    this.#checkedResidentBytes = residentBytes;
    this.#checkSome(this.#options.sessions[Symbol.iterator](), 0);
  }

  #checkSome(sessions: Iterator<Checked>, bytesSoFar: number): void {
    this.#turn = undefined;
    const nowMs = performance.now();
    let bytes = bytesSoFar;
    for (let count = 0; count < CHECKED_PER_TURN; count++) {
      const { done, value: session } = sessions.next();
      if (done === true) {
        this.#bufferedBytes = bytes;
        this.#relieve();
        return;
      }
      bytes += this.#checkOne(session, nowMs);
    }
    this.#turn = setImmediate(() => this.#checkSome(sessions, bytes));
  }

  /** Returns the bytes that wait for the session. */
  #checkOne(session: Checked, nowMs: number): number {
    if (session.closed) return 0;
    const bytes = session.socket.getBufferedAmount();
    const waiting = this.#waiting.get(session);
    if (bytes === 0) {
      if (waiting !== undefined) this.#waiting.delete(session);
    } else if (waiting === undefined) {
      this.#waiting.set(session, { sinceMs: nowMs, bytes });
    } else if (nowMs - waiting.sinceMs >= this.#options.timeoutMs) {
      this.#disconnect(session, 'unread_time');
      return 0;
    } else waiting.bytes = bytes;
    return bytes;
  }

  /** The worst readers first: others lose their connections only if that does not suffice. */
  #relieve(): void {
    const { maxTotalBufferedBytes: max } = this.#options;
    if (this.#bufferedBytes <= max) return;
    const worstFirst = [...this.#waiting].sort(([, a], [, b]) => b.bytes - a.bytes);
    for (const [session, { bytes }] of worstFirst) {
      if (this.#bufferedBytes <= max * RELIEVED_PART) return;
      this.#disconnect(session, 'total_buffered_bytes');
      this.#bufferedBytes -= bytes;
    }
  }

  #disconnect(session: Checked, reason: UnreadReason): void {
    this.#waiting.delete(session);
    this.#options.onUnread(session, reason);
    session.socket.close();
  }
}
