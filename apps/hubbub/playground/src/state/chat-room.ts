/** One room as the page shows it, with the users who type there. It outlives the connection: a new client fills it again. */
import type { HubbubError, RoomState, RosterUser, Sender } from '@hubbub/client';
import { Entries } from './entries.js';

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
