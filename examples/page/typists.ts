/** The users who type in a room. Each entry expires after some seconds: its end may be lost with the connection. */
import type { Sender } from '@hubbub/client';

const BELIEVED_MS = 6000;

export class Typists {
  readonly #changed: () => void;
  readonly #typing = new Map<string, { readonly name: string; readonly end: ReturnType<typeof setTimeout> }>();

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get ids(): readonly string[] {
    return [...this.#typing.keys()];
  }

  get names(): readonly string[] {
    return [...this.#typing.values()].map(({ name }) => name);
  }

  started({ id, name }: Sender): void {
    clearTimeout(this.#typing.get(id)?.end);
    this.#typing.set(id, { name, end: setTimeout(() => this.stopped(id), BELIEVED_MS) });
    this.#changed();
  }

  stopped(id: string): void {
    const typing = this.#typing.get(id);
    if (typing === undefined) return;
    clearTimeout(typing.end);
    this.#typing.delete(id);
    this.#changed();
  }

  clear(): void {
    for (const id of [...this.#typing.keys()]) this.stopped(id);
  }
}

/** `Ada is typing …`, `Ada and Bob are typing …`, `Ada, Bob and 3 others are typing …`; nothing for nobody. */
export function typingWords(names: readonly string[]): string {
  const [first, second, ...others] = names;
  if (first === undefined) return '';
  if (second === undefined) return `${first} is typing …`;
  if (others.length === 0) return `${first} and ${second} are typing …`;
  return `${first}, ${second} and ${others.length === 1 ? others[0] : `${others.length} others`} are typing …`;
}
