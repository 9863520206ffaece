/** The messages of one room in their order: by their place in the history, then those that have none yet. */
import { keyOf, type Message } from './message.js';

export class MessageStore {
  readonly #byKey = new Map<string, Message>();
  #list: Message[] = [];

  get list(): readonly Message[] {
    return this.#list;
  }

  /** Places of the first and the last message that has one. */
  get firstOffset(): number | undefined {
    return this.#list.find(({ offset }) => offset !== undefined)?.offset;
  }

  get lastOffset(): number | undefined {
    return this.#list.findLast(({ offset }) => offset !== undefined)?.offset;
  }

  /** The newest one of that id; authors choose ids by themselves. */
  withId(id: string): Message | undefined {
    return this.#list.findLast(message => message.id === id);
  }

  /** One that is there already only learns its place. */
  add(message: Message): void {
    const known = this.#byKey.get(keyOf(message));
    if (known === undefined) {
      this.#byKey.set(keyOf(message), message);
      this.#list.push(message);
    } else if (message.offset !== undefined) {
      Object.assign(known, { offset: message.offset, at: message.at, delivery: 'sent', problem: undefined });
    }
    this.sort();
  }

  remove(unwanted: (message: Message) => boolean): void {
    for (const message of this.#list.filter(unwanted)) this.#byKey.delete(keyOf(message));
    this.#list = this.#list.filter(message => !unwanted(message));
  }

  /** After a message learnt its place. */
  sort(): void {
    this.#list.sort((a, b) => placeOf(a) - placeOf(b) || a.at.getTime() - b.at.getTime());
  }
}

function placeOf({ offset }: Message): number {
  return offset ?? Number.MAX_SAFE_INTEGER;
}
