/** Renews the token before it expires: asks for a fresh one while the session stands, and gives it to the session. */
import { HubbubError } from '@hubbub/protocol';
import { type BackoffPolicy, fullJitterMs } from './backoff.js';
import type { TokenSource } from './token.js';

/** Of the life that a token has left: renewed when this much remains, but never earlier than `MAX_LEAD_MS` before the end. */
const LEAD = 0.2;
const MAX_LEAD_MS = 5 * 60_000;
/** setTimeout takes 32 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface RenewalPorts {
  /** Gives the session a new token. @throws {HubbubError} what the edge answers, or `UNAVAILABLE` */
  refresh(token: string): Promise<unknown>;
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
  #failures = 0;

  constructor(policy: BackoffPolicy, token: TokenSource, ports: RenewalPorts) {
    this.#policy = policy;
    this.#token = token;
    this.#ports = ports;
  }

  /** A session has the source's last token. */
  start(): void {
    this.stop();
    this.#failures = 0;
    const { renews, expiresAtMs } = this.#token;
    if (!renews || expiresAtMs === undefined) return;
    // Between half of the lead and all of it: tokens given out together are not renewed together.
    const leadMs = Math.min((expiresAtMs - Date.now()) * LEAD, MAX_LEAD_MS) * (0.5 + Math.random() / 2);
    // Expired by this clock, but the edge took it: the clock is wrong, and the edge will say when.
    if (leadMs > 0) this.#wait(expiresAtMs - leadMs);
  }

  stop(): void {
    this.#run++;
    clearTimeout(this.#timer);
  }

  #wait(atMs: number): void {
    const delayMs = Math.max(0, atMs - Date.now());
    this.#timer = setTimeout(
      () => (delayMs > MAX_TIMER_MS ? this.#wait(atMs) : void this.#renew()),
      Math.min(delayMs, MAX_TIMER_MS),
    );
  }

  async #renew(): Promise<void> {
    const run = this.#run;
    let token: string | undefined;
    try {
      token = await this.#token.prepare();
      // The same token again would be asked for again, at ever shorter intervals: the edge's 4100 ends that.
      if (token === undefined || run !== this.#run) return;
      await this.#ports.refresh(token);
      if (run !== this.#run) return;
      this.#token.renewed();
      this.start();
    } catch (error) {
      if (run !== this.#run) return; // The next session begins with what was prepared.
      const passes = !(error instanceof HubbubError) || error.retryable;
      if (passes) this.#wait(Date.now() + fullJitterMs(this.#failures++, this.#policy));
      // Refused by the edge, of another user, or an edge that does not know the frame: a new session may take it.
      else if (token !== undefined) this.#ports.move();
      // Else signed out: the session ends when the edge says so.
    }
  }
}
