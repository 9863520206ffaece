/**
 * Keeps one user from filling a shared log of client events. While half of it is free no user is limited. Then each user adds
 * at most a small share of it on this edge, until services catch up or the log has turned over.
 */
import { LimitExceeded, spreadRetryMs } from '../limits/limit-exceeded.js';

/** So many users on one edge fill the second half together. */
const SHARES = 32;
/** A log so small that this is half of it needs no shares. */
const SHARE_MIN = 16;
/** Without an append, the known length becomes outdated: then one event refreshes it. */
const KNOWN_FOR_MS = 1000;
const RETRY_MIN_MS = 1000;
const RETRY_SPREAD_MS = 4000;

interface Log {
  /** Entries, as the last append found them. */
  length: number;
  knownAtMs: number;
  /** Events by user since the log was half full. */
  readonly byUser: Map<string, number>;
  appended: number;
}

export class EventShares {
  readonly #max: number;
  readonly #share: number;
  /** By namespace: only those that take events. */
  readonly #logs = new Map<string, Log>();

  /** @param max events that may wait in a log */
  constructor(max: number) {
    this.#max = max;
    this.#share = Math.max(SHARE_MIN, Math.floor(max / 2 / SHARES));
  }

  /** @throws {LimitExceeded} `UNAVAILABLE`, when the user has used up its share of a log that fills. */
  take(namespace: string, user: string, nowMs: number): void {
    const log = this.#logs.get(namespace);
    if (log === undefined || log.length < this.#max / 2) return;
    const own = log.byUser.get(user) ?? 0;
    if (own < this.#share) {
      log.byUser.set(user, own + 1);
      return;
    }
    if (nowMs - log.knownAtMs >= KNOWN_FOR_MS) {
      log.knownAtMs = nowMs;
      return;
    }
    const retryAfterMs = spreadRetryMs(RETRY_MIN_MS, RETRY_SPREAD_MS);
    const message = `Services are behind, and this user has used up its share of what may wait; try again in ${retryAfterMs} ms.`;
    throw new LimitExceeded('waiting_events', 'UNAVAILABLE', message, retryAfterMs);
  }

  /** An append found so many events in the log. */
  found(namespace: string, length: number, nowMs: number): void {
    let log = this.#logs.get(namespace);
    if (log === undefined) {
      log = { length, knownAtMs: nowMs, byUser: new Map(), appended: 0 };
      this.#logs.set(namespace, log);
    }
    log.length = length;
    log.knownAtMs = nowMs;
    log.appended++;
    // The events that filled it have been handled by now: the log holds no more than this.
    if (length < this.#max / 2 || log.appended >= this.#max) {
      log.byUser.clear();
      log.appended = 0;
    }
  }
}
