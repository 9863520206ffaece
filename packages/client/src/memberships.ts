/** Which rooms the application wants to be in, and how they are joined again, or resumed, in every new session. */
import { type Frame, HubbubError, type Position } from '@hubbub/protocol';
import type { AnswerType } from './acks.js';
import { type BackoffPolicy, fullJitterMs } from './backoff.js';
import { type ConnectionState, inSession, takesFrames } from './connection-states.js';
import { defined } from './defined.js';
import type { Welcome } from './frames.js';
import { Membership, type RoomChange, type RoomState } from './membership.js';
import type { Recovery } from './recovery.js';
import { Refused, unavailable } from './refusals.js';
import {
  type FrameLimits,
  type PositionAnswer,
  readPosition,
  readResumeAnswer,
  resumeGroups,
} from './resume-frames.js';
import { roomTokenOf, type TokenOption } from './token.js';

/** Milliseconds for which a first join that the edge refuses for now is tried again. */
const JOIN_PATIENCE_MS = 30_000;

export interface MembershipPorts {
  state(): ConnectionState;
  /** Sends immediately and promises the answer. Default: the `ack`. */
  request(frame: Frame, answer?: AnswerType): Promise<Frame>;
  /** The limits of a frame in this session. */
  limits(): FrameLimits;
  /** The positions to name to the edge, and what it answers. */
  readonly recovery: Pick<Recovery, 'begin' | 'answered'>;
  changed(room: string, change: RoomChange): void;
  /** Every wanted room was answered in this session. */
  restored(): void;
}

export class Memberships {
  readonly #policy: BackoffPolicy;
  readonly #ports: MembershipPorts;
  readonly #rooms = new Map<string, Membership>();
  /** The room of the path, as the last `welcome` named it. */
  #pathRooms: readonly string[] | undefined;
  /** Left, by `leave()` or by a service that closed it: the room of the path must not be joined again by itself. */
  readonly #unwanted = new Set<string>();
  /** The edge put us back there; until it has answered our leaving, its frames are not for the application. */
  readonly #leavingAgain = new Set<string>();
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
    return this.#rooms.get(room)?.isPending ?? false;
  }

  /** Whether frames of this room are those of a room that was left. */
  isLeavingAgain(room = ''): boolean {
    return this.#leavingAgain.has(room);
  }

  /** Resolves at the `ack`. A token that is given stays until the room is left. */
  join(room: string, token?: TokenOption): Promise<void> {
    this.#unwanted.delete(room);
    this.#leavingAgain.delete(room);
    const membership = this.#membership(room);
    membership.token = token ?? membership.token;
    membership.added = false;
    if (membership.state === 'joined') return Promise.resolve();
    const joined = membership.wait();
    if (membership.state === 'left') {
      this.#change(membership, 'joining');
      void this.#attempt(membership);
    }
    return joined;
  }

  /** Resolves when no frame of the room can arrive any more: at the `ack`, or immediately without a session in it. */
  async leave(room: string): Promise<void> {
    const session = this.#session;
    this.#unwant(room);
    if (this.state(room) === 'left') return;
    this.drop(room, undefined);
    if (!inSession(this.#ports.state())) return;
    await this.#ports.request(leaveFrame(room)).catch(error => {
      if (session === this.#session) throw error;
    });
  }

  /** The room is left, by us (no error) or not. */
  drop(room: string, error: HubbubError | undefined): void {
    const membership = this.#rooms.get(room);
    if (!membership) return;
    this.#unwant(room);
    membership.abandonAttempts();
    const waiting = membership.takeWaiting();
    this.#change(membership, 'left', error);
    const reason = error ?? unavailable(`Room ${room} was left.`);
    for (const { reject } of waiting) reject(reason);
    this.#reportIfRestored();
  }

  /** A service added this session to the room. The service decides whether the next session is added, too. */
  opened(room: string, payload: unknown): void {
    const membership = this.#membership(room);
    if (membership.state !== 'left') return; // Our own join is, or will be, answered.
    membership.added = true;
    this.#ports.recovery.answered(room, readPosition(payload), false);
    this.#change(membership, 'joined');
  }

  /** The position in the room of the path, for the query of the next attempt (PROTOCOL.md section 1.1). */
  pathQuery(): string {
    const [room] = this.#pathRooms ?? [];
    const position = room && this.#ports.recovery.begin(room);
    return position ? `epoch=${encodeURIComponent(position.epoch)}&offset=${position.offset}` : '';
  }

  /** A session began; it is in the room of its path already. */
  sessionBegan({ rooms, position }: Pick<Welcome, 'rooms' | 'position'>): void {
    this.#session++;
    this.#pathRooms = rooms;
    for (const room of this.#unwanted) if (!rooms.includes(room)) this.#unwanted.delete(room);
    for (const room of rooms) {
      if (this.#unwanted.has(room)) void this.#leaveAgain(room);
      else void this.#foundIn(room, readPosition(position));
    }
    const again: Membership[] = [];
    for (const membership of this.#rooms.values()) {
      if (!membership.isPending || rooms.includes(membership.room)) continue;
      // Of frames with tokens few would fit into one.
      if (membership.state === 'rejoining' && !membership.token) again.push(membership);
      else void this.#attempt(membership);
    }
    for (const group of resumeGroups(again, ({ room }) => this.#place(room), this.#ports.limits())) {
      void this.#resume(group);
    }
    this.#reportIfRestored();
  }

  sessionLost(): void {
    this.#session++;
    this.#leavingAgain.clear();
    for (const membership of this.#rooms.values()) {
      membership.abandonAttempts();
      membership.forgetRefusals();
      if (membership.state === 'joined') this.#change(membership, membership.added ? 'left' : 'rejoining');
    }
  }

  /** No session will come: all rooms are left. */
  end(error: HubbubError): void {
    // A copy: a listener may join again.
    for (const room of [...this.#rooms.keys()]) this.drop(room, error);
    this.#unwanted.clear();
  }

  /** The edge has put us into the room of the path: what was missed is on its way. */
  async #foundIn(room: string, answer: PositionAnswer | undefined): Promise<void> {
    const membership = this.#membership(room);
    if (membership.state === 'left') this.#change(membership, 'joining');
    const attempt = membership.beginAttempt();
    // Any answer comes after the replay.
    if (answer && membership.state === 'rejoining') await this.#ports.request({ type: 'ping' }, 'pong').catch(() => {});
    if (membership.isCurrent(attempt)) this.#answered(membership, answer);
  }

  async #leaveAgain(room: string): Promise<void> {
    this.#leavingAgain.add(room);
    const session = this.#session;
    // Where leaving fails the room stays silent for the application until the session ends.
    const left = await this.#ports.request(leaveFrame(room)).catch(() => undefined);
    if (left !== undefined && session === this.#session) this.#leavingAgain.delete(room);
  }

  /** Many rooms in one frame. An edge that cannot do that is asked room by room, and so is what it left unanswered. */
  async #resume(group: readonly Membership[]): Promise<void> {
    const attempts = group.map(membership => membership.beginAttempt());
    const payload = { rooms: group.map(({ room }) => this.#place(room)) };
    const outcome = await this.#ports.request({ type: 'resume', payload }).then(readResumeAnswer, error => error);
    group.forEach((membership, index) => {
      if (!membership.isCurrent(attempts[index])) return;
      const { room } = membership;
      if (outcome instanceof Map && outcome.has(room)) this.#answered(membership, outcome.get(room));
      // Requests for each room alone would exceed the rate even more.
      else if (outcome.code === 'RATE_LIMITED') this.#answered(membership, outcome);
      else void this.#attempt(membership);
    });
  }

  #place(room: string): { readonly room_id: string } & Partial<Position> {
    return { room_id: room, ...this.#ports.recovery.begin(room) };
  }

  async #attempt(membership: Membership): Promise<void> {
    const attempt = membership.beginAttempt();
    // The next session retries pending rooms.
    const isDue = (): boolean => membership.isCurrent(attempt) && takesFrames(this.#ports.state());
    if (!isDue()) return;
    try {
      const token = membership.token && (await roomTokenOf(membership.token));
      if (!isDue()) return;
      const payload = { ...this.#place(membership.room), ...(token && { token }) };
      const ack = await this.#ports.request({ type: 'join_room', payload });
      if (membership.isCurrent(attempt)) this.#answered(membership, readPosition(ack.payload));
    } catch (error) {
      if (membership.isCurrent(attempt)) this.#answered(membership, error as HubbubError);
    }
  }

  #answered(membership: Membership, answer: PositionAnswer | HubbubError | undefined): void {
    if (answer instanceof HubbubError) {
      this.#refused(membership, answer);
      return;
    }
    this.#ports.recovery.answered(membership.room, answer, membership.state === 'rejoining');
    // A listener of the gap may have left the room.
    if (membership.isPending) this.#joined(membership);
  }

  #joined(membership: Membership): void {
    const waiting = membership.takeWaiting();
    membership.forgetRefusals();
    membership.added = false;
    this.#change(membership, 'joined');
    for (const { resolve } of waiting) resolve();
    this.#reportIfRestored();
  }

  /** Retries a passing refusal: without end if the client was in the room, for a limited time at a first join. */
  #refused(membership: Membership, error: HubbubError): void {
    if (error.retryable && (membership.state === 'rejoining' || this.#isWorthAnother(membership, error))) {
      const delayMs = (error.retryAfterMs ?? 0) + fullJitterMs(membership.failures++, this.#policy);
      membership.retryIn(delayMs, () => void this.#attempt(membership));
      return;
    }
    this.drop(membership.room, error);
  }

  #isWorthAnother(membership: Membership, error: HubbubError): boolean {
    if (!(error instanceof Refused)) return false;
    membership.refusedSinceMs ??= performance.now();
    return performance.now() - membership.refusedSinceMs < JOIN_PATIENCE_MS;
  }

  #unwant(room: string): void {
    // Before the first session any room may be that of the path.
    if (this.#pathRooms?.includes(room) ?? true) this.#unwanted.add(room);
  }

  #reportIfRestored(): void {
    for (const membership of this.#rooms.values()) if (membership.isPending) return;
    this.#ports.restored();
  }

  #change(membership: Membership, state: RoomState, error?: HubbubError): void {
    const previous = membership.state;
    membership.state = state;
    // A room that was visited is not kept; before listeners hear of it, who may join again.
    if (state === 'left') this.#rooms.delete(membership.room);
    this.#ports.changed(membership.room, defined({ state, previous, error }));
  }

  #membership(room: string): Membership {
    const membership = this.#rooms.get(room) ?? new Membership(room);
    this.#rooms.set(room, membership);
    return membership;
  }
}

function leaveFrame(room: string): Frame {
  return { type: 'leave_room', payload: { room_id: room } };
}
