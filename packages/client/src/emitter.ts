/**
 * Events by name, where a listener that throws disturbs neither the others nor the connection.
 *
 * Our own code, not a library: mitt and nanoevents stop at the first listener that throws. A wrapper around either would be
 * longer than this.
 */

/** Stops listening. */
export type Unsubscribe = () => void;

/** The argument of a listener of `Name`: its type in `Known`, else `Other`. */
export type EventOf<Known, Other, Name extends string> = Name extends keyof Known ? Known[Name] : Other;

/** `Known` maps names to what their listeners get; every other name carries an `Other`. */
export class Emitter<Known, Other> {
  readonly #listeners = new Map<string, Set<(event: never) => void>>();

  on<Name extends string>(name: Name, listener: (event: EventOf<Known, Other, Name>) => void): Unsubscribe {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    // A function of its own, so that one listener given twice is heard twice and removed once.
    const heard = (event: EventOf<Known, Other, Name>): void => listener(event);
    listeners.add(heard);
    return () => {
      listeners.delete(heard);
      if (listeners.size === 0 && this.#listeners.get(name) === listeners) this.#listeners.delete(name);
    };
  }

  emit<Name extends string>(name: Name, event: EventOf<Known, Other, Name>): void {
    const listeners = this.#listeners.get(name) as Set<(event: EventOf<Known, Other, Name>) => void> | undefined;
    if (!listeners) return;
    // A copy: a listener may add and remove listeners.
    for (const listener of [...listeners]) {
      try {
        listener(event);
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
  const { reportError } = globalThis as { reportError?: (error: unknown) => void };
  if (reportError) reportError(error);
  else
    queueMicrotask(() => {
      throw error;
    });
}
