/** Ends sessions when their tokens do: sorted by the second, one timer for all (docs/decisions/0003). */

/** An object that expires, such as a session. */
export interface Expiring {
  /** Written by {@link Expiry} alone. Milliseconds since 1970; `undefined`: never. */
  expiresAtMs: number | undefined;
}

const SECOND_MS = 1000;
/** Seconds ahead with a set each. Later ends share one set, so that tokens of a year cost no more than those of an hour. */
const HORIZON_SECONDS = 3600;
/** Tokens that were signed together end together: others are served in between. */
const ENDED_PER_TURN = 500;

export class Expiry<Session extends Expiring> {
  readonly #end: (session: Session) => void;
  readonly #bySecond = new Map<number, Set<Session>>();
  readonly #later = new Set<Session>();
  /** Seconds before this one have been processed. */
  #nextSecond: number;
  #laterLookedAtSecond: number;
  #due: Session[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn: ReturnType<typeof setImmediate> | undefined;

  /** @param end is called within two seconds after a session's time, once, unless it was forgotten or renewed before */
  constructor(end: (session: Session) => void) {
    this.#end = end;
    this.#nextSecond = secondOf(Date.now());
    this.#laterLookedAtSecond = this.#nextSecond;
    this.#wait();
  }

  /** The session ends then and not when it was to end before. @param atMs milliseconds since 1970; `undefined`: never */
  renew(session: Session, atMs: number | undefined): void {
    this.forget(session);
    session.expiresAtMs = atMs;
    if (atMs !== undefined) this.#sort(session, atMs);
  }

  forget(session: Session): void {
    if (session.expiresAtMs === undefined) return;
    const second = secondOf(session.expiresAtMs);
    const together = this.#bySecond.get(second);
    if (together?.delete(session) === true && together.size === 0) this.#bySecond.delete(second);
    this.#later.delete(session);
    session.expiresAtMs = undefined;
  }

  /** The content in memory: sessions, and seconds with a set of them. */
  held(): { readonly sessions: number; readonly seconds: number } {
    let sessions = this.#later.size + this.#due.length;
    for (const together of this.#bySecond.values()) sessions += together.size;
    return { sessions, seconds: this.#bySecond.size };
  }

  close(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
  }

  #sort(session: Session, atMs: number, currentSecond = this.#nextSecond): void {
    // An overdue session goes to the next second; `forget` does not find it there, which `#endSome` handles.
    const second = Math.max(secondOf(atMs), this.#nextSecond);
    if (second - currentSecond > HORIZON_SECONDS) {
      this.#later.add(session);
      return;
    }
    const together = this.#bySecond.get(second);
    if (together === undefined) this.#bySecond.set(second, new Set([session]));
    else together.add(session);
  }

  #wait(): void {
    this.#timer = setTimeout(() => this.#tick(), SECOND_MS - (Date.now() % SECOND_MS));
    this.#timer.unref();
  }

  #tick(): void {
    const second = Math.floor(Date.now() / SECOND_MS);
    if (Math.abs(second - this.#laterLookedAtSecond) > HORIZON_SECONDS / 2) this.#lookAtLater(second);
    // A process that was stopped, or a clock that was set, skips seconds: then those that are there are fewer.
    const skipped = second - this.#nextSecond > this.#bySecond.size;
    if (skipped) for (const sorted of [...this.#bySecond.keys()]) if (sorted <= second) this.#take(sorted);
    if (!skipped) for (let next = this.#nextSecond; next <= second; next++) this.#take(next);
    this.#nextSecond = second + 1;
    if (this.#turn === undefined) this.#endSome();
    this.#wait();
  }

  #take(second: number): void {
    for (const session of this.#bySecond.get(second) ?? []) this.#due.push(session);
    this.#bySecond.delete(second);
  }

  #lookAtLater(second: number): void {
    this.#laterLookedAtSecond = second;
    for (const session of [...this.#later]) {
      if (session.expiresAtMs === undefined || secondOf(session.expiresAtMs) - second > HORIZON_SECONDS) continue;
      this.#later.delete(session);
      this.#sort(session, session.expiresAtMs, second);
    }
  }

  #endSome(): void {
    this.#turn = undefined;
    const now = Date.now();
    for (const session of this.#due.splice(0, ENDED_PER_TURN)) {
      // It was renewed or has ended since it was removed.
      if (session.expiresAtMs === undefined || session.expiresAtMs > now) continue;
      session.expiresAtMs = undefined;
      this.#end(session);
    }
    if (this.#due.length > 0) this.#turn = setImmediate(() => this.#endSome());
  }
}

/** When a session ends, as its `welcome` and the `ack` of a refresh have it. */
export interface ExpiryNotice {
  /** RFC 3339, by this edge's clock. */
  readonly expires_at: string;
  /** The same as a duration: the clocks of clients are wrong. */
  readonly expires_in_ms: number;
}

export function expiryOf({ expiresAtMs }: Expiring): ExpiryNotice | undefined {
  if (expiresAtMs === undefined) return undefined;
  return { expires_at: new Date(expiresAtMs).toISOString(), expires_in_ms: Math.max(0, expiresAtMs - Date.now()) };
}

/** The first whole second at which the time is over. */
function secondOf(atMs: number): number {
  return Math.ceil(atMs / SECOND_MS);
}
