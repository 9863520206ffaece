/** Everything the page shows, and the notice that it changed. */
import type { FrameTap, Sender, StateChange } from '@hubbub/client';
import { hasSnippet } from '../snippets.js';
import { ChatRoom } from './chat-room.js';
import { FrameLog, type LoggedFrame } from './frame-log.js';

/** The encodings, with their names for people. */
export const ENCODINGS = { json: 'JSON', msgpack: 'MessagePack' } as const;
export type EncodingName = keyof typeof ENCODINGS;

/** A text for the user about something that went wrong. */
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

/** A frame that the user wrote, and what the edge answered to it. */
export interface RawRequest {
  readonly id: string | undefined;
  answer?: LoggedFrame;
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
  /** The name that the user gave; missing if the page was given a token. */
  name: string | undefined;
  token: string | undefined;
  /** Of the current session, or of the last one. */
  sessionId: string | undefined;
  /** Without a signed-in user the page asks for a name. */
  signedIn = false;
  notices: readonly Notice[] = [];
  rawRequest: RawRequest | undefined;
  /** The last frame from which a program can be made. */
  lastRequest: LoggedFrame | undefined;
  #noticeCount = 0;
  #renderPlanned = false;

  constructor(readonly render: () => void) {}

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
      this.render();
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
    this.rooms.get(name)?.clearTypists();
    this.rooms.delete(name);
    if (this.activeRoom === name) this.activeRoom = names[index + 1] ?? names[index - 1];
    this.changed();
  }

  addFrame(tap: FrameTap): void {
    const logged = this.frames.add(tap);
    if (tap.direction === 'out' && tap.frame !== undefined && hasSnippet(tap.frame)) this.lastRequest = logged;
    const request = this.rawRequest;
    if (
      tap.direction === 'in' &&
      request !== undefined &&
      request.answer === undefined &&
      tap.frame?.id === request.id
    ) {
      // A malformed request has no id: its answer is the error that has none.
      if (request.id !== undefined || tap.frame?.type === 'error') request.answer = logged;
    }
    this.changed();
  }

  /** Adds a frame that the user wrote, whose answer is shown. */
  addRequest(tap: FrameTap): void {
    this.rawRequest = { id: tap.frame?.id };
    this.addFrame(tap);
  }

  /** Forgets the user, and keeps the names of the rooms. */
  forget(): void {
    const names = [...this.rooms.keys()];
    this.rooms.clear();
    for (const name of names) this.addRoom(name);
    this.frames.clear();
    this.connection = { state: 'idle' };
    this.me = this.name = this.token = this.rawRequest = this.lastRequest = undefined;
    this.signedIn = false;
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
