/** Whether Redis answers and takes writes: asked regularly on the connections that requests use, for `/readyz`. */
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
  #refusal = '';
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
    const silent = `has not answered for ${ago}${this.#refusal}`;
    if (this.#answeredAtMs === undefined) return { ready: false, checks: { redis: silent } };
    const ready = ageMs <= this.#options.timeoutMs;
    return { ready, checks: { redis: ready ? `answered ${ago} ago` : silent } };
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #round(): Promise<void> {
    const askedAtMs = performance.now();
    try {
      await this.#ask();
      // Of the question: an answer may describe a state that has changed since.
      this.#answeredAtMs = askedAtMs;
      this.#refusal = '';
    } catch (error) {
      // Reported by `readiness` as time goes by, and logged where the connection fails.
      this.#refusal = ` (${error instanceof Error ? error.message : String(error)})`;
    }
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#round(), this.#options.intervalMs);
  }
}
