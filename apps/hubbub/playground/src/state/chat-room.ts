/** One room as the page shows it. It outlives the connection: a new client fills the same room. */
import type { HubbubError, RoomState, RosterUser } from '@hubbub/client';
import { Entries } from './entries.js';
import { Typists } from './typists.js';

export class ChatRoom {
  readonly name: string;
  readonly entries = new Entries();
  readonly typists: Typists;
  state: RoomState = 'left';
  /** Why the page is not in the room although it wants to be. */
  error: HubbubError | undefined;
  users: readonly RosterUser[] = [];
  /** Exact, also where `users` is not complete. */
  count = 0;
  /** Messages that came while nobody looked. */
  unread = 0;
  /** The text in the composer while another room is selected. */
  draft = '';

  constructor(name: string, changed: () => void) {
    this.name = name;
    this.typists = new Typists(changed);
  }
}
