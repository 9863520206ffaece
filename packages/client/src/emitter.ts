/**
 * Events by name, where a listener that throws disturbs neither the others nor the connection.
 *
 * Our own code, not a library: mitt and nanoevents stop at the first listener that throws. A wrapper around either would be
 * longer than this.
 */

/** Stops listening. */
export type Unsubscribe = () => void;

/** Stops listening: by a call, or at the end of a `using` block. */
export interface Subscription extends Unsubscribe, Disposable {}

/** The standard's symbol; our own on platforms without it. */
export const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol();

/** Listeners by name. The names of frames are their types; those of our own events begin with `*`, as no frame's type does. */
export class Emitter {
  readonly #listeners = new Set<{ readonly name: string; readonly listener: (event: never) => void }>();
  readonly #emptied: () => void;

  /** @param emptied called when the last listener was stopped */
  constructor(emptied: () => void = () => {}) {
    this.#emptied = emptied;
  }

  on<Event>(name: string, listener: (event: Event) => void): Subscription {
    const added = { name, listener };
    this.#listeners.add(added);
    const stop = (): void => {
      this.#listeners.delete(added);
      if (this.isEmpty) this.#emptied();
    };
    return Object.assign(stop, { [DISPOSE]: stop });
  }

  /** Notifies those who listen now, whatever they add and stop meanwhile. */
  emit(name: string, event: unknown): void {
    for (const { name: heard, listener } of [...this.#listeners]) {
      try {
        if (heard === name) listener(event as never);
      } catch (error) {
        reportUncaught(error); // The application's bug, not ours to handle, and not to be hidden either.
      }
    }
  }

  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }
}

/** Makes an error visible as an uncaught one, after the current work: browsers have `reportError` for it, Node has not. */
function reportUncaught(error: unknown): void {
  const { reportError = throwLater } = globalThis as { reportError?: (error: unknown) => void };
  reportError(error);
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
