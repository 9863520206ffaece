/** A signal that follows others and lets go of them: what lives long must not collect listeners. */
import { setTimeout as delay } from 'node:timers/promises';

export class LinkedSignal {
  readonly #own = new AbortController();
  readonly #sources: readonly AbortSignal[];

  constructor(...sources: readonly AbortSignal[]) {
    this.#sources = sources;
    for (const source of sources) {
      if (source.aborted) this.abort();
      else source.addEventListener('abort', this.abort, { once: true });
    }
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  readonly abort = (): void => this.#own.abort();

  unlink(): void {
    for (const source of this.#sources) source.removeEventListener('abort', this.abort);
  }
}

/** Waits, at most until one of the signals is aborted; the caller checks the signal then. */
export async function pause(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
  const linked = new LinkedSignal(...signals);
  await delay(ms, undefined, { signal: linked.signal }).catch(() => {}); // Cut short: see above.
  linked.unlink();
}
