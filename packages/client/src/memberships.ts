/** Which rooms the application wants to be in, and how they are joined again in every new session. */
import { type Frame, HubbubError } from '@hubbub/protocol';
import { type BackoffPolicy, fullJitterMs } from './backoff.js';

/** `rejoining`: the application is in this room, the session (of which there may be none) is not yet. */
export type RoomState = 'left' | 'joining' | 'joined' | 'rejoining';

export interface RoomChange {
  readonly state: RoomState;
  readonly previous: RoomState;
  /** Why, when the room was left for another reason than `leave()`. */
  readonly error?: HubbubError;
}

export interface MembershipPorts {
  /** Whether there is a session. */
  inSession(): boolean;
  /** Sends at once and promises the `ack`. */
  request(frame: Frame): Promise<Frame>;
  changed(room: string, change: RoomChange): void;
  /** Every wanted room was answered in this session. */
  restored(): void;
}

interface Membership {
  readonly room: string;
  state: RoomState;
  /** Attempts that failed in this session: the exponent of the backoff. */
  failures: number;
  /** Names the attempt whose answer counts: not one of an earlier session, nor one from before a `leave()`. */
  current: number;
  retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** Those who wait for `join()`. */
  waiting: { resolve(): void; reject(error: HubbubError): void }[];
}

export class Memberships {
  readonly #policy: BackoffPolicy;
  readonly #ports: MembershipPorts;
  readonly #rooms = new Map<string, Membership>();
  /** Counts sessions: one that ended has left its rooms. */
  #session = 0;

  constructor(policy: BackoffPolicy, ports: MembershipPorts) {
    this.#policy = policy;
    this.#ports = ports;
  }

  state(room: string): RoomState {
    return this.#rooms.get(room)?.state ?? 'left';
  }

  /** Whether frames about this room are to wait. A room never joined is the edge's to answer for. */
  isPending(room: string): boolean {
    const state = this.state(room);
    return state === 'joining' || state === 'rejoining';
  }

  /** Resolves at the `ack`. */
  join(room: string): Promise<void> {
    const membership = this.#membership(room);
    if (membership.state === 'joined') return Promise.resolve();
    const joined = new Promise<void>((resolve, reject) => membership.waiting.push({ resolve, reject }));
    joined.catch(() => {}); // Who does not wait for it must not die of a leave() or close(): `changed` tells the same.
    if (membership.state === 'left') {
      this.#change(membership, 'joining');
      if (this.#ports.inSession()) void this.#attempt(membership);
    }
    return joined;
  }

  /** Resolves when nothing of the room arrives any more: at the `ack`, or at once where no session is in it. */
  async leave(room: string): Promise<void> {
    const session = this.#session;
    if (this.state(room) === 'left') return;
    this.drop(room, undefined);
    if (!this.#ports.inSession()) return;
    try {
      await this.#ports.request({ type: 'leave_room', payload: { room_id: room } });
    } catch (error) {
      const gone = error instanceof HubbubError && error.code === 'NOT_IN_ROOM';
      if (!gone && session === this.#session) throw error;
    }
  }

  /** The room is left, by us (no error) or not. */
  drop(room: string, error: HubbubError | undefined): void {
    const membership = this.#rooms.get(room);
    if (membership === undefined || membership.state === 'left') return;
    clearTimeout(membership.retryTimer);
    membership.current++;
    const waiting = membership.waiting;
    membership.waiting = [];
    this.#change(membership, 'left', error);
    const reason = error ?? new HubbubError('UNAVAILABLE', `Room ${room} was left before it was joined.`);
    for (const { reject } of waiting) reject(reason);
    this.#reportIfRestored();
  }

  /** A session began; it is in `rooms` already (the room of the path). */
  sessionBegan(rooms: readonly string[]): void {
    this.#session++;
    for (const room of rooms) this.#joined(this.#membership(room));
    for (const membership of this.#rooms.values()) {
      if (this.isPending(membership.room)) void this.#attempt(membership);
    }
    this.#reportIfRestored();
  }

  sessionLost(): void {
    this.#session++;
    for (const membership of this.#rooms.values()) {
      clearTimeout(membership.retryTimer);
      membership.current++;
      membership.failures = 0;
      if (membership.state === 'joined') this.#change(membership, 'rejoining');
    }
  }

  /** No session will come: all rooms are left. */
  end(error: HubbubError): void {
    for (const room of this.#rooms.keys()) this.drop(room, error);
  }

  async #attempt(membership: Membership): Promise<void> {
    const attempt = ++membership.current;
    try {
      // Recovery (issue 4) names the position in this payload.
      await this.#ports.request({ type: 'join_room', payload: { room_id: membership.room } });
      if (attempt === membership.current) this.#joined(membership);
    } catch (error) {
      if (attempt === membership.current) this.#refused(membership, error as HubbubError);
    }
  }

  #joined(membership: Membership): void {
    const waiting = membership.waiting;
    membership.waiting = [];
    membership.failures = 0;
    this.#change(membership, 'joined');
    for (const { resolve } of waiting) resolve();
    this.#reportIfRestored();
  }

  /** A first join fails to its caller. A room that we were in is worth more patience, as long as the error may pass. */
  #refused(membership: Membership, error: HubbubError): void {
    if (membership.state === 'rejoining' && error.retryable) {
      const delayMs = fullJitterMs(membership.failures++, this.#policy);
      membership.retryTimer = setTimeout(() => void this.#attempt(membership), delayMs);
      return;
    }
    this.drop(membership.room, error);
  }

  #reportIfRestored(): void {
    for (const { room } of this.#rooms.values()) if (this.isPending(room)) return;
    this.#ports.restored();
  }

  #change(membership: Membership, state: RoomState, error?: HubbubError): void {
    const previous = membership.state;
    if (state === previous) return;
    membership.state = state;
    this.#ports.changed(membership.room, { state, previous, ...(error !== undefined && { error }) });
  }

  #membership(room: string): Membership {
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    const membership: Membership = { room, state: 'left', failures: 0, current: 0, retryTimer: undefined, waiting: [] };
    this.#rooms.set(room, membership);
    return membership;
  }
}
