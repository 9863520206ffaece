/** The users who type in a room. Each entry expires after some seconds, in case its end is lost. */
import type { Sender } from '@hubbub/client';

/** Longer than the interval in which typing is repeated (see typing-signal.ts). */
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
