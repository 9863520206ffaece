/** One room as the page shows it: its messages, and the users who type there. It outlives the connection. */
import type { HubbubError, RoomState, RosterUser, Sender } from '@hubbub/client';

/** Older entries are dropped: the page shows a relay, not an archive. */
const MAX_ENTRIES = 500;
/** Messages of one sender within this time are shown under one name. Milliseconds. */
const GROUP_MS = 5 * 60_000;

/** The state of an own message; `received` marks messages of others. */
export type Delivery = 'pending' | 'acked' | 'failed' | 'received';

export interface Message {
  readonly kind: 'message';
  readonly key: number;
  /** The frame's id; missing where a service gave none. */
  readonly id: string | undefined;
  readonly sender: Sender;
  readonly own: boolean;
  readonly text: string;
  readonly at: Date;
  /** Whether the message above is of the same sender and time. */
  readonly continues: boolean;
  delivery: Delivery;
  /** Why it failed. */
  error: HubbubError | undefined;
}

/** Somebody came, a service spoke, something went wrong. */
export interface Line {
  readonly kind: 'line';
  readonly key: number;
  readonly text: string;
  readonly at: Date;
}

export type Entry = Message | Line;

class Entries {
  #entries: Entry[] = [];
  #count = 0;

  get all(): readonly Entry[] {
    return this.#entries;
  }

  addMessage(message: Pick<Message, 'id' | 'sender' | 'own' | 'text' | 'at' | 'delivery'>): Message {
    const added: Message = {
      ...message,
      kind: 'message',
      key: ++this.#count,
      continues: this.#continues(message),
      error: undefined,
    };
    this.#push(added);
    return added;
  }

  addLine(text: string): void {
    this.#push({ kind: 'line', key: ++this.#count, text, at: new Date() });
  }

  /** Whether the room shows an own message with this id: a namespace with echo returns it. */
  hasOwn(id: string): boolean {
    return this.#entries.some(entry => entry.kind === 'message' && entry.own && entry.id === id);
  }

  remove(message: Message): void {
    this.#entries = this.#entries.filter(entry => entry !== message);
  }

  #continues({ sender, own, at }: Pick<Message, 'sender' | 'own' | 'at'>): boolean {
    const last = this.#entries.at(-1);
    if (last?.kind !== 'message' || last.own !== own || last.sender.id !== sender.id) return false;
    return at.getTime() - last.at.getTime() < GROUP_MS;
  }

  #push(entry: Entry): void {
    this.#entries = [...this.#entries.slice(1 - MAX_ENTRIES), entry];
  }
}

/** Longer than the interval in which typing is repeated (typing-signal.ts): its end may be lost. */
const TYPING_LASTS_MS = 6_000;

export class ChatRoom {
  readonly entries = new Entries();
  state: RoomState = 'left';
  /** Why the page is not in the room although it wants to be. */
  error: HubbubError | undefined;
  users: readonly RosterUser[] = [];
  /** Exact, also where `users` is not complete. */
  count = 0;
  /** Messages that arrived while the user did not see the room. */
  unread = 0;
  /** The text in the composer while another room is selected. */
  draft = '';
  readonly #typists = new Map<string, { readonly name: string; readonly timer: ReturnType<typeof setTimeout> }>();

  constructor(
    readonly name: string,
    readonly changed: () => void,
  ) {}

  get typists(): readonly string[] {
    return Array.from(this.#typists.values(), ({ name }) => name);
  }

  startedTyping({ id, name }: Sender): void {
    clearTimeout(this.#typists.get(id)?.timer);
    this.#typists.set(id, { name, timer: setTimeout(() => this.stoppedTyping(id), TYPING_LASTS_MS) });
    this.changed();
  }

  stoppedTyping(id: string): void {
    clearTimeout(this.#typists.get(id)?.timer);
    if (this.#typists.delete(id)) this.changed();
  }

  clearTypists(): void {
    for (const id of [...this.#typists.keys()]) this.stoppedTyping(id);
  }
}
