/** One room that the application is, was, or wants to be in: its state, the attempt that counts, and who waits for it. */
import type { HubbubError } from '@hubbub/protocol';
import type { TokenOption } from './token.js';

/** `rejoining`: the application is in this room, the session (of which there may be none) is not yet. */
export type RoomState = 'left' | 'joining' | 'joined' | 'rejoining';

export interface RoomChange {
  readonly state: RoomState;
  readonly previous: RoomState;
  /** Why, when the room was left for another reason than `leave()`. */
  readonly error?: HubbubError;
}

/** Somebody who waits for `join()`. */
export interface Waiting {
  resolve(): void;
  reject(error: HubbubError): void;
}

export class Membership {
  readonly room: string;
  state: RoomState = 'left';
  /** A service put the session into the room: it is left with the session, unless the application joins it. */
  added = false;
  /** A room token, where the application gave one: asked for at every attempt. */
  token: TokenOption | undefined;
  /** Attempts that failed in this session: the exponent of the backoff. */
  failures = 0;
  /** When the first attempt to join was refused in this session; `undefined` before. */
  refusedSinceMs: number | undefined;
  /** Names the attempt whose answer counts: not one of an earlier session, nor one from before a `leave()`. */
  #current = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #waiting: Waiting[] = [];

  constructor(room: string) {
    this.room = room;
  }

  /** Wanted, and the session is not there yet. */
  get isPending(): boolean {
    return this.state === 'joining' || this.state === 'rejoining';
  }

  /** From now on this attempt's answer counts, and no earlier one's. */
  beginAttempt(): number {
    return ++this.#current;
  }

  isCurrent(attempt: number | undefined): boolean {
    return attempt === this.#current;
  }

  /** Refusals so far do not count any more. */
  forgetRefusals(): void {
    this.failures = 0;
    this.refusedSinceMs = undefined;
  }

  /** Answers in flight are ignored, and nothing is retried. */
  abandonAttempts(): void {
    clearTimeout(this.#retryTimer);
    this.#current++;
  }

  retryIn(delayMs: number, attempt: () => void): void {
    this.#retryTimer = setTimeout(attempt, delayMs);
  }

  wait(): Promise<void> {
    const joined = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    joined.catch(() => {}); // The caller may ignore a rejection by leave() or close(): `changed` reports the same.
    return joined;
  }

  /** Takes the callers that wait; a caller that joins meanwhile waits for the next answer. */
  takeWaiting(): readonly Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}
