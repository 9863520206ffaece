/** Questions who is in a room that wait for presence: each is answered once, or refused within a bound. */
import { type Envelope, HubbubError } from '@hubbub/protocol';
import type { Session } from '../sessions/session.js';

/** A session, or a part of this edge that asks under an id of its own. */
export interface RosterAsker extends Pick<Session, 'id' | 'refuse'> {
  /** Takes the answer; a session gets it as a frame. */
  answered?(question: RosterQuestion, answer: Pick<Envelope, 'body'>): void;
}

/** The fields of a question that its answer needs. */
export interface RosterQuestion {
  readonly session: RosterAsker;
  readonly room: string;
  /** The `id` of the frame that asked. */
  readonly frameId: string | undefined;
  readonly dueAtMs: number;
}

export interface RosterQuestionsOptions {
  /** Called for each question that was refused because no answer came. */
  onUnanswered(): void;
  /** A clock that never goes back. */
  readonly now?: () => number;
}

/** Presence drops questions that are this old (apps/presence, questions.ts). */
const ANSWER_WITHIN_MS = 5000;
const CHECK_MS = 250;
/** About 3 MB. */
const MAX_WAITING = 20_000;

export class RosterQuestions {
  readonly #options: RosterQuestionsOptions;
  readonly #now: () => number;
  /** By number, which is the order of their deadlines. */
  readonly #waiting = new Map<number, RosterQuestion>();
  #asked = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RosterQuestionsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Remembers a question; returns its number, or `undefined` when too many wait. */
  add(session: RosterAsker, room: string, frameId: string | undefined): number | undefined {
    if (this.#waiting.size >= MAX_WAITING) return undefined;
    const number = ++this.#asked;
    this.#waiting.set(number, { session, room, frameId, dueAtMs: this.#now() + ANSWER_WITHIN_MS });
    this.#timer ??= setInterval(() => this.#refuseDue(), CHECK_MS);
    return number;
  }

  /** Takes the question that is answered; `undefined` when it was refused, or asked by an earlier process of this node. */
  take(number: number, sessionId: string): RosterQuestion | undefined {
    const question = this.#waiting.get(number);
    if (question?.session.id !== sessionId) return undefined;
    this.#waiting.delete(number);
    return question;
  }

  /** The question did not reach presence. */
  refuse(number: number): void {
    const question = this.#waiting.get(number);
    if (question === undefined) return;
    this.#waiting.delete(number);
    const { session, room, frameId } = question;
    const frame = { room, ...(frameId !== undefined && { id: frameId }) };
    session.refuse(frame, new HubbubError('UNAVAILABLE', 'Presence did not answer; ask again later.'));
    this.#options.onUnanswered();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const number of this.#waiting.keys()) this.refuse(number);
  }

  #refuseDue(): void {
    const nowMs = this.#now();
    for (const [number, { dueAtMs }] of this.#waiting) {
      if (dueAtMs > nowMs) break;
      this.refuse(number);
    }
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
