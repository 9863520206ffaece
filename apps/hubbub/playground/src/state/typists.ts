/** Who types in a room right now: a word of it holds for some seconds, in case the word of its end is lost. */
import type { Sender } from '@hubbub/client';

/** Longer than the interval in which those who type say so again (see typing-signal.ts). */
const HOLDS_MS = 6_000;

export class Typists {
  readonly #names = new Map<string, string>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get names(): readonly string[] {
    return [...this.#names.values()];
  }

  started({ id, name }: Sender): void {
    clearTimeout(this.#timers.get(id));
    this.#names.set(id, name);
    this.#timers.set(
      id,
      setTimeout(() => this.stopped(id), HOLDS_MS),
    );
    this.#changed();
  }

  stopped(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    if (this.#names.delete(id)) this.#changed();
  }

  clear(): void {
    for (const id of [...this.#names.keys()]) this.stopped(id);
  }
}
