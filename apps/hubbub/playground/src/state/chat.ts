/** Everything the page shows, and the word that it changed. */
import type { Sender, StateChange } from '@hubbub/client';
import { ChatRoom } from './chat-room.js';
import { FrameLog } from './frame-log.js';

export type EncodingName = 'json' | 'msgpack';

/** A word to the user about something that went wrong. */
export interface Notice {
  readonly key: number;
  readonly text: string;
  readonly code: string | undefined;
}

export interface ConnectionView extends Pick<StateChange, 'state' | 'error' | 'closeCode'> {
  /** When the next attempt is made, on the clock of `performance.now()`; only while waiting. */
  readonly retryAtMs?: number;
  /** Whether this client had a session before: if so, its token was good. */
  readonly hadSession?: boolean;
}

const MAX_NOTICES = 3;

export class Chat {
  readonly rooms = new Map<string, ChatRoom>();
  readonly frames = new FrameLog();
  activeRoom: string | undefined;
  connection: ConnectionView = { state: 'idle' };
  encoding: EncodingName = 'json';
  /** The user as the edge names it; before its welcome, as the page asked for. */
  me: Sender | undefined;
  /** The page asks for a name while nobody is signed in. */
  signedIn = false;
  notices: readonly Notice[] = [];
  #noticeCount = 0;
  readonly #render: () => void;
  #renderPlanned = false;

  constructor(render: () => void) {
    this.#render = render;
  }

  get active(): ChatRoom | undefined {
    return this.activeRoom === undefined ? undefined : this.rooms.get(this.activeRoom);
  }

  get unread(): number {
    return [...this.rooms.values()].reduce((sum, room) => sum + room.unread, 0);
  }

  /** Plans one rendering for all changes of the moment. A timer, because animation frames stop in hidden pages. */
  readonly changed = (): void => {
    if (this.#renderPlanned) return;
    this.#renderPlanned = true;
    setTimeout(() => {
      this.#renderPlanned = false;
      this.#render();
    }, 16);
  };

  addRoom(name: string): ChatRoom {
    const room = this.rooms.get(name) ?? new ChatRoom(name, this.changed);
    this.rooms.set(name, room);
    this.changed();
    return room;
  }

  removeRoom(name: string): void {
    const names = [...this.rooms.keys()];
    const index = names.indexOf(name);
    this.rooms.get(name)?.typists.clear();
    this.rooms.delete(name);
    if (this.activeRoom === name) this.activeRoom = names[index + 1] ?? names[index - 1];
    this.changed();
  }

  notify(text: string, code?: string): void {
    this.notices = [...this.notices, { key: ++this.#noticeCount, text, code }].slice(-MAX_NOTICES);
    this.changed();
  }

  dismiss(key: number): void {
    this.notices = this.notices.filter(notice => notice.key !== key);
    this.changed();
  }
}
