/** Renews the token before it expires: asks for a new one while the session is open, and sends it to the edge. */
import { type Frame, HubbubError, isPlainObject } from '@hubbub/protocol';
import { type BackoffPolicy, fullJitterMs } from './backoff.js';
import { MAX_TIMER_MS } from './calls.js';
import type { TokenSource } from './token.js';

/** Of the life that a token has left: renewed when this much remains, but never earlier than `MAX_LEAD_MS` before the end. */
const LEAD = 0.2;
const MAX_LEAD_MS = 5 * 60_000;

export interface RenewalPorts {
  /** Gives the session a new token. @throws {HubbubError} the edge's error, or `UNAVAILABLE` */
  refresh(token: string): Promise<Frame>;
  /** The session cannot have it: a new one can. */
  move(): void;
}

export class Renewal {
  readonly #policy: BackoffPolicy;
  readonly #token: TokenSource;
  readonly #ports: RenewalPorts;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts starts and stops: a token that comes after either is not for this session. */
  #run = 0;
  /** Counts sessions: a token that comes after the next one began is not held for a third. */
  #session = 0;
  #failures = 0;

  constructor(policy: BackoffPolicy, token: TokenSource, ports: RenewalPorts) {
    this.#policy = policy;
    this.#token = token;
    this.#ports = ports;
  }

  /** A session has the source's last token. */
  start(welcome: unknown): void {
    this.#session++;
    this.#token.hold(undefined);
    this.#plan(welcome);
  }

  stop(): void {
    this.#run++;
    clearTimeout(this.#timer);
  }

  /** The client was closed: when it connects again, its token may have expired or its user may be another one. */
  end(): void {
    this.#session++;
    this.#token.hold(undefined);
  }

  /** @param answer names how long the session has, in `expires_in_ms`: a duration, because the clocks of devices are wrong */
  #plan(answer: unknown): void {
    this.stop();
    this.#failures = 0;
    const expiresInMs = isPlainObject(answer) ? Number(answer.expires_in_ms) : 0;
    if (!(expiresInMs > 0)) return;
    // Between half of the lead and all of it: tokens given out together are not renewed together.
    const leadMs = Math.min(expiresInMs * LEAD, MAX_LEAD_MS) * (0.5 + Math.random() / 2);
    this.#wait(expiresInMs - leadMs);
  }

  #wait(delayMs: number): void {
    const stepMs = Math.min(delayMs, MAX_TIMER_MS);
    this.#timer = setTimeout(() => (stepMs < delayMs ? this.#wait(delayMs - stepMs) : void this.#renew()), stepMs);
  }

  async #renew(): Promise<void> {
    const run = this.#run;
    const session = this.#session;
    let token: string | undefined;
    try {
      token = await this.#token.prepare();
      // The same token again would be asked for again, at ever shorter intervals: the edge's 4100 ends that.
      if (token === undefined || session !== this.#session) return;
      // Should this session not get it, the next one does.
      this.#token.hold(token);
      if (run !== this.#run) return;
      const { payload } = await this.#ports.refresh(token);
      if (run !== this.#run) return;
      this.#token.use(token);
      this.#plan(payload);
    } catch (error) {
      if (run !== this.#run) return;
      const passes = !(error instanceof HubbubError) || error.retryable;
      if (passes) this.#wait(fullJitterMs(this.#failures++, this.#policy));
      // Refused by the edge, of another user, or an edge that does not know the frame: a new session may take it.
      else if (token !== undefined) this.#ports.move();
      // Else signed out: the session ends when the edge closes it.
    }
  }
}
