/** Values outside React that components read: each store works while a component subscribes to it. */
import { useState, useSyncExternalStore } from 'react';

export interface Store<Value> {
  value(): Value;
  /** The value in a page that a server renders. */
  initial(): Value;
  /** Starts the store for its first subscriber, and stops it after its last one. */
  subscribe(listener: () => void): () => void;
}

export interface WritableStore<Value> extends Store<Value> {
  update(change: Partial<Value>): void;
}

/** @param start begins to follow the source, and returns the functions that end that */
export function createStore<Value extends object>(
  initial: Value,
  start: () => readonly (() => void)[],
): WritableStore<Value> {
  const listeners = new Set<() => void>();
  let value = initial;
  let stops: readonly (() => void)[] | undefined;

  const stopIfUnused = (): void => {
    if (listeners.size > 0) return;
    for (const stop of stops ?? []) stop();
    stops = undefined;
  };
  return {
    value: () => value,
    initial: () => initial,
    subscribe: listener => {
      // A function of its own: two subscribers may pass the same one.
      const notify = (): void => listener();
      listeners.add(notify);
      stops ??= start();
      return () => {
        listeners.delete(notify);
        // StrictMode, fast refresh and a move in the tree subscribe again in the same turn: the store does not stop then.
        queueMicrotask(stopIfUnused);
      };
    },
    update: change => {
      value = { ...value, ...change };
      for (const notify of [...listeners]) notify();
    },
  };
}

export function useStore<Value>({ subscribe, value, initial }: Store<Value>): Value {
  return useSyncExternalStore(subscribe, value, initial);
}

/** Keeps what `make` returns until `keys` change. Unlike `useMemo`, it also keeps it over a fast refresh. */
export function useKept<Kept>(make: () => Kept, keys: readonly unknown[]): Kept {
  const [kept, keep] = useState(() => ({ value: make(), keys }));
  if (keys.every((key, index) => Object.is(key, kept.keys[index]))) return kept.value;
  const next = { value: make(), keys };
  keep(next);
  return next.value;
}
