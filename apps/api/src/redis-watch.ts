/** Whether Redis answers: asked on the connections that requests use, again and again, so that `/readyz` knows it at once. */
import type { Readiness } from '@hubbub/runtime';

export interface RedisWatchOptions {
  readonly intervalMs: number;
  /** Not ready when the last answer is older. */
  readonly timeoutMs: number;
}

export class RedisWatch {
  readonly #ask: () => Promise<unknown>;
  readonly #options: RedisWatchOptions;
  readonly #startedAtMs = performance.now();
  #answeredAtMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param ask resolves when Redis has answered on every connection */
  constructor(ask: () => Promise<unknown>, options: RedisWatchOptions) {
    this.#ask = ask;
    this.#options = options;
    void this.#round();
  }

  readiness(): Readiness {
    const ageMs = performance.now() - (this.#answeredAtMs ?? this.#startedAtMs);
    const ago = `${Math.round(ageMs)} ms`;
    if (this.#answeredAtMs === undefined) return { ready: false, checks: { redis: `has not answered for ${ago}` } };
    const ready = ageMs <= this.#options.timeoutMs;
    return { ready, checks: { redis: ready ? `answered ${ago} ago` : `has not answered for ${ago}` } };
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #round(): Promise<void> {
    const askedAtMs = performance.now();
    try {
      await this.#ask();
      // Of the question, not of the answer: what was true then may not be any more.
      this.#answeredAtMs = askedAtMs;
    } catch {
      // Told by `readiness` as time goes by, and logged where the connection fails.
    }
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#round(), this.#options.intervalMs);
  }
}
