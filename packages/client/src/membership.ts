/** The membership of the client in one room: joined, joined again or resumed in every new session, and left. */
import { type Frame, HubbubError, type Position } from '@hubbub/protocol';
import { type BackoffPolicy, fullJitterMs } from './backoff.js';
import type { CallOptions } from './calls.js';
import type { Connection } from './connection.js';
import { inSession, takesFrames } from './connection-states.js';
import { defined } from './defined.js';
import { Refused, unavailable } from './errors.js';
import type { Recovery } from './recovery.js';
import type { Requests } from './requests.js';
import { type PositionAnswer, type ResumeAnswers, readPosition } from './resume-frames.js';
import { roomTokenOf, type TokenOption } from './token.js';

/** `rejoining`: the application is in this room, the session (of which there may be none) is not yet. */
export type RoomState = 'left' | 'joining' | 'joined' | 'rejoining';

export interface RoomChange {
  readonly state: RoomState;
  readonly previous: RoomState;
  /** Why, when the room was left for another reason than `leave()`. */
  readonly error?: HubbubError;
}

/** Milliseconds for which a first join that the edge refuses for now is tried again. */
const JOIN_PATIENCE_MS = 30_000;

export interface MembershipPorts {
  readonly room: string;
  readonly requests: Pick<Requests, 'send'>;
  /** Names the position to the edge, and takes its answer. */
  readonly recovery: Pick<Recovery, 'begin' | 'answered'>;
  readonly connection: Pick<Connection, 'state'>;
  /** Whether a new session may begin in this room, because it is that of the connection path. */
  isMaybeOfPath(): boolean;
  changed(change: RoomChange): void;
  /** The room is not pending any more. */
  settled(): void;
}

/** A pending call of `join()`. */
interface Waiting {
  resolve(): void;
  reject(error: HubbubError): void;
}

export class Membership {
  readonly #policy: BackoffPolicy;
  readonly #ports: MembershipPorts;
  #state: RoomState = 'left';
  /** A service put the session into the room: it is left with the session, unless the application joins it. */
  #isAdded = false;
  /** A room token, where the application gave one: asked for at every attempt. */
  #token: TokenOption | undefined;
  /** Left, by `leave()` or by a service: a session that begins in this room leaves it again. */
  #isUnwanted = false;
  #isLeavingAgain = false;
  /** Attempts that failed in this session: the exponent of the backoff. */
  #failures = 0;
  /** When the first attempt to join was refused in this session; `undefined` before. */
  #refusedSinceMs: number | undefined;
  /** Names the attempt whose answer counts: not one of an earlier session, nor one from before a `leave()`. */
  #attempt = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #waiting: Waiting[] = [];

  constructor(policy: BackoffPolicy, ports: MembershipPorts) {
    this.#policy = policy;
    this.#ports = ports;
  }

  get state(): RoomState {
    return this.#state;
  }

  /** Wanted, and the session is not there yet. */
  get isPending(): boolean {
    return this.#state === 'joining' || this.#state === 'rejoining';
  }

  /** Whether a `resume` may name the room: of rooms with tokens few would fit into one. */
  get isResumable(): boolean {
    return this.#state === 'rejoining' && !this.#token;
  }

  /** The edge put the session there; until it has answered the `leave_room`, its frames are not for the application. */
  get isLeavingAgain(): boolean {
    return this.#isLeavingAgain;
  }

  /** Whether nothing of it has to be remembered. */
  get isOver(): boolean {
    return this.#state === 'left' && !this.#isUnwanted && !this.#isLeavingAgain;
  }

  /** Resolves at the `ack`. A token that is given stays until the room is left. */
  join(token?: TokenOption): Promise<void> {
    this.#isUnwanted = false;
    this.#isLeavingAgain = false;
    this.#isAdded = false;
    this.#token = token ?? this.#token;
    if (this.#state === 'joined') return Promise.resolve();
    const joined = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    if (this.#state === 'left') {
      this.#change('joining');
      void this.attempt();
    }
    return joined;
  }

  /** Resolves when no frame of the room can arrive any more: at the `ack`, or immediately without a session in it. */
  async leave(options?: CallOptions): Promise<void> {
    this.#unwant();
    if (this.#state === 'left') return;
    this.drop();
    await this.#leaveSession(options).catch(error => {
      if (inSession(this.#ports.connection.state)) throw error; // A session that ended has left its rooms.
    });
  }

  /** The room is left, by us (no error) or not. */
  drop(error?: HubbubError): void {
    if (this.#state === 'left') return;
    this.#unwant();
    this.#abandonAttempts();
    const waiting = this.#takeWaiting();
    this.#change('left', error);
    const reason = error ?? unavailable(`Room ${this.#ports.room} was left.`);
    for (const { reject } of waiting) reject(reason);
    this.#ports.settled();
  }

  /** A service added this session to the room. The service decides whether the next session is added, too. */
  opened(payload: unknown): void {
    if (this.#state !== 'left') return; // Our own join is, or will be, answered.
    this.#isAdded = true;
    this.#ports.recovery.answered(readPosition(payload), false);
    this.#change('joined');
  }

  /** A session began in the room, which is that of the path: missed messages follow. */
  async foundIn(answer: PositionAnswer | undefined): Promise<void> {
    if (this.#isUnwanted) {
      this.#isLeavingAgain = true;
      // Where leaving fails the room stays silent for the application until the session ends.
      if (await this.#leaveSession().catch(() => {})) this.#isLeavingAgain = false;
      this.#ports.settled();
      return;
    }
    if (this.#state === 'left') this.#change('joining');
    const attempt = ++this.#attempt;
    // Any answer comes after the replay.
    if (answer && this.#state === 'rejoining') await this.#ports.requests.send({ type: 'ping' }).catch(() => {});
    if (attempt === this.#attempt) this.#answered(answer);
  }

  /** A session began elsewhere: it cannot put the client into this room any more. */
  notOfPath(): void {
    this.#isUnwanted = false;
  }

  /** The room in a `join_room` or `resume`, with the position that the client has. */
  place(): { readonly room_id: string } & Partial<Position> {
    return { room_id: this.#ports.room, ...this.#ports.recovery.begin() };
  }

  /** Joins by the answer to a `resume`. An edge that cannot resume is asked room by room, as for a room without an answer. */
  async resume(answers: Promise<ResumeAnswers | HubbubError>): Promise<void> {
    const attempt = ++this.#attempt;
    const outcome = await answers;
    if (attempt !== this.#attempt) return;
    const { room } = this.#ports;
    if (outcome instanceof Map && outcome.has(room)) this.#answered(outcome.get(room));
    // Requests for each room alone would exceed the rate even more.
    else if (outcome instanceof HubbubError && outcome.code === 'RATE_LIMITED') this.#answered(outcome);
    else void this.attempt();
  }

  async attempt(): Promise<void> {
    const attempt = ++this.#attempt;
    // The next session retries pending rooms.
    const isDue = (): boolean => attempt === this.#attempt && takesFrames(this.#ports.connection.state);
    if (!isDue()) return;
    try {
      const token = this.#token && (await roomTokenOf(this.#token));
      if (!isDue()) return;
      const payload = { ...this.place(), ...(token && { token }) };
      const ack = await this.#ports.requests.send({ type: 'join_room', payload });
      if (attempt === this.#attempt) this.#answered(readPosition(ack.payload));
    } catch (error) {
      if (attempt === this.#attempt) this.#answered(error as HubbubError);
    }
  }

  sessionLost(): void {
    this.#isLeavingAgain = false;
    this.#abandonAttempts();
    this.#forgetRefusals();
    if (this.#state === 'joined') this.#change(this.#isAdded ? 'left' : 'rejoining');
  }

  #answered(answer: PositionAnswer | HubbubError | undefined): void {
    if (answer instanceof HubbubError) {
      this.#refused(answer);
      return;
    }
    this.#ports.recovery.answered(answer, this.#state === 'rejoining');
    // A listener of the gap may have left the room.
    if (!this.isPending) return;
    const waiting = this.#takeWaiting();
    this.#forgetRefusals();
    this.#isAdded = false;
    this.#change('joined');
    for (const { resolve } of waiting) resolve();
    this.#ports.settled();
  }

  /** Retries a passing refusal: without end if the client was in the room, for a limited time at a first join. */
  #refused(error: HubbubError): void {
    if (error.retryable && (this.#state === 'rejoining' || this.#isWorthAnother(error))) {
      const delayMs = (error.retryAfterMs ?? 0) + fullJitterMs(this.#failures++, this.#policy);
      this.#retryTimer = setTimeout(() => void this.attempt(), delayMs);
    } else this.drop(error);
  }

  #isWorthAnother(error: HubbubError): boolean {
    if (!(error instanceof Refused)) return false;
    const nowMs = performance.now();
    this.#refusedSinceMs ??= nowMs;
    return nowMs - this.#refusedSinceMs < JOIN_PATIENCE_MS;
  }

  async #leaveSession(options?: CallOptions): Promise<Frame | undefined> {
    if (!inSession(this.#ports.connection.state)) return undefined;
    const { requests, room } = this.#ports;
    return await requests.send({ type: 'leave_room', payload: { room_id: room } }, options);
  }

  #unwant(): void {
    if (this.#ports.isMaybeOfPath()) this.#isUnwanted = true;
  }

  /** Answers in flight are ignored, and nothing is retried. */
  #abandonAttempts(): void {
    clearTimeout(this.#retryTimer);
    this.#attempt++;
  }

  #forgetRefusals(): void {
    this.#failures = 0;
    this.#refusedSinceMs = undefined;
  }

  /** Takes the calls that wait; a later call waits for the next answer. */
  #takeWaiting(): readonly Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  #change(state: RoomState, error?: HubbubError): void {
    const previous = this.#state;
    this.#state = state;
    if (state === 'left') {
      this.#token = undefined;
      this.#forgetRefusals();
    }
    this.#ports.changed(defined({ state, previous, error }));
  }
}
