/** The memory of a tab over a reload. Without storage, every load is like the first one. */

const PREFIX = 'hubbub-example:';

export function kept<Of>(name: string): Of | undefined {
  try {
    const text = sessionStorage.getItem(PREFIX + name);
    return text === null ? undefined : (JSON.parse(text) as Of);
  } catch {
    return undefined; // Storage is off, or holds what another version wrote.
  }
}

/** `undefined` forgets it. */
export function keep(name: string, value: unknown): void {
  try {
    if (value === undefined) sessionStorage.removeItem(PREFIX + name);
    else sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // As above.
  }
}
