/** Questions who is in a room, answered after the commit that they arrived with: a page at a time, each page once a node. */
import type { RoomInfo } from '@hubbub/protocol';
import type { Announcement } from './effects.js';
import { infoOf } from './journal-effects.js';
import type { Rooms } from './rooms.js';

export interface Question {
  readonly room: string;
  readonly after?: number;
  readonly node: string;
  readonly session: string;
  /** Its number on the node. */
  readonly question: number;
  readonly askedAtMs: number;
}

/** The edge has refused it by then (apps/edge, roster-questions.ts). */
export const ANSWER_WITHIN_MS = 5000;

export class Questions {
  readonly #waiting: Question[] = [];
  readonly #rooms: Rooms;
  readonly #pageSize: number;

  constructor(rooms: Rooms, pageSize: number) {
    this.#rooms = rooms;
    this.#pageSize = pageSize;
  }

  get pending(): boolean {
    return this.#waiting.length > 0;
  }

  add(question: Question): void {
    this.#waiting.push(question);
  }

  /**
   * Takes the answers to the oldest questions, as the rooms are now. Those that ask for the same page share it.
   * @param maxUsers ends the answers with the page that reaches it: a large commit would hold Redis, and flood an edge
   */
  answer(nowMs: number, maxUsers: number): Announcement[] {
    const pages = new Map<string, RoomInfo>();
    const answers = new Map<string, { page: RoomInfo; node: string; asked: Question[] }>();
    let users = 0;
    let taken = 0;
    for (const question of this.#waiting) {
      if (users >= maxUsers) break;
      taken++;
      if (nowMs - question.askedAtMs > ANSWER_WITHIN_MS) continue;
      const { room, after = 0, node } = question;
      const pageKey = `${after} ${room}`;
      const page = pages.get(pageKey) ?? this.#page(room, after);
      pages.set(pageKey, page);
      const key = `${pageKey} ${node}`;
      const answer = answers.get(key);
      if (answer !== undefined) {
        answer.asked.push(question);
        continue;
      }
      answers.set(key, { page, node, asked: [question] });
      users += page.users.length + 1;
    }
    this.#waiting.splice(0, taken);
    return Array.from(answers.values(), ({ page, node, asked }) => ({
      to: 'sessions',
      type: 'online_users',
      room: page.room_id,
      payload: page as RoomInfo & Announcement['payload'],
      node,
      sessions: asked.map(({ session }) => session),
      questions: asked.map(({ question }) => question),
    }));
  }

  /** A room without reports is empty and has no version yet. */
  #page(name: string, after: number): RoomInfo {
    const room = this.#rooms.get(name);
    return room === undefined
      ? { room_id: name, users: [], count: 0, version: 0 }
      : infoOf(room, this.#pageSize, after);
  }
}
