/** Whether Redis answers and takes writes: asked regularly on the connections that requests use, for `/readyz`. */
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

  /** Whether the last answer is recent. */
  get answers(): boolean {
    return this.#answeredAtMs !== undefined && performance.now() - this.#answeredAtMs <= this.#options.timeoutMs;
  }

  /** For `/readyz`. */
  describe(): string {
    const ago = `${Math.round(performance.now() - (this.#answeredAtMs ?? this.#startedAtMs))} ms`;
    return this.answers ? `answered ${ago} ago` : `has not answered for ${ago}${this.#refusal}`;
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
