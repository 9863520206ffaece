/** A voting room as a document, and its rules. Pure functions: the service passes them to `documents.update`. */
import { HttpProblem } from '../service/example.js';

export const CHOICES = ['yes', 'no', 'abstain'] as const;
export type Choice = (typeof CHOICES)[number];
export type Result = Readonly<Record<Choice, number>>;

export interface Participant {
  readonly name: string;
  /** Identifies the participant. Two participants may have one name. */
  readonly key: string;
  readonly choice?: Choice;
}

/** A change that the members of the room have not been notified of. */
export interface Announcement {
  /** Unique in the room. */
  readonly id: string;
  /** The message of this change; `room_status` follows each change. */
  readonly message?: {
    readonly type: 'participant_ready' | 'voting_started';
    readonly payload: Readonly<Record<string, string>>;
  };
}

/** A type, not an interface: only types are assignable to `Document`. */
export type VotingRoom = {
  readonly room_id: string;
  readonly status: 'waiting' | 'started' | 'ended';
  /** The question, once somebody has written one. */
  readonly topic?: string;
  /** The ready participants. The list only grows, so an index identifies a participant. */
  readonly participants: readonly Participant[];
  /** Counts the visible changes: of two states, the one with the higher version is newer. */
  readonly version: number;
  /** Oldest first. */
  readonly pending: readonly Announcement[];
  /** The time since which the room is empty, in milliseconds since 1970; `undefined` while it has members. */
  readonly emptySinceMs?: number;
};

/** The public state of a room: the payload of `room_status` and the body of most answers. */
export interface RoomStatus {
  readonly room_id: string;
  readonly status: VotingRoom['status'];
  readonly topic?: string;
  readonly participants: readonly string[];
  /** The participants that have voted, as indexes. */
  readonly voted: readonly number[];
  readonly version: number;
  /** The address of the vote, once it has started. */
  readonly redirect_url?: string;
  /** The number of votes for each choice, once the vote has ended. */
  readonly result?: Result;
}

/** The state with the index and the vote of the participant who asks; frames do not contain these. */
export interface RoomAnswer extends RoomStatus {
  readonly you?: number;
  readonly your_choice?: Choice;
}

const PARTICIPANTS_MAX = 200;

export function newRoom(room_id: string, nowMs: number): VotingRoom {
  return { room_id, status: 'waiting', participants: [], version: 1, pending: [], emptySinceMs: nowMs };
}

/** @throws {HttpProblem} 404 */
export function existing(room: VotingRoom | undefined): VotingRoom {
  if (room === undefined) throw new HttpProblem(404, 'unknown room');
  return room;
}

/** Adds a participant; a repeated request changes nothing. @throws {HttpProblem} */
export function participate(room: VotingRoom | undefined, key: string, name: string): VotingRoom {
  const known = existing(room);
  if (indexOf(known, key) !== undefined) return known;
  requireWaiting(known);
  if (known.participants.length >= PARTICIPANTS_MAX) throw new HttpProblem(409, 'the room is full');
  const participants = [...known.participants, { name, key }];
  return changed(known, { participants }, { type: 'participant_ready', payload: { message: name } });
}

/** @throws {HttpProblem} */
export function setTopic(room: VotingRoom | undefined, topic: string): VotingRoom {
  const known = existing(room);
  if (known.topic === topic) return known;
  requireWaiting(known);
  return changed(known, { topic });
}

/** A second start is refused. @throws {HttpProblem} */
export function start(room: VotingRoom | undefined): VotingRoom {
  const known = existing(room);
  requireWaiting(known);
  const payload = { message: 'The voting has started.', redirect_url: redirectUrl(known) };
  return changed(known, { status: 'started' }, { type: 'voting_started', payload });
}

/** A later vote replaces an earlier one. The last participant's vote ends the voting. @throws {HttpProblem} */
export function vote(room: VotingRoom | undefined, key: string | undefined, choice: Choice): VotingRoom {
  const known = existing(room);
  const voter = indexOf(known, key);
  if (voter === undefined) throw new HttpProblem(403, 'only participants vote');
  if (known.participants[voter]?.choice === choice) return known;
  requireStarted(known);
  const participants = known.participants.map((each, index) => (index === voter ? { ...each, choice } : each));
  const isLast = participants.every(participant => participant.choice !== undefined);
  return changed(known, { participants, ...(isLast && { status: 'ended' }) });
}

/** Ends the voting without the missing votes. A repeated request changes nothing. @throws {HttpProblem} */
export function end(room: VotingRoom | undefined): VotingRoom {
  const known = existing(room);
  if (known.status === 'ended') return known;
  requireStarted(known);
  return changed(known, { status: 'ended' });
}

/** Removes announcements that were published; later ones stay. */
export function withoutAnnounced(room: VotingRoom, announced: readonly Announcement[]): VotingRoom {
  const ids = new Set(announced.map(({ id }) => id));
  return { ...room, pending: room.pending.filter(({ id }) => !ids.has(id)) };
}

export function emptySince(room: VotingRoom, emptySinceMs: number): VotingRoom {
  return { ...room, emptySinceMs };
}

export function occupied({ emptySinceMs: _, ...room }: VotingRoom): VotingRoom {
  return room;
}

/** The index of the participant with this key. */
export function indexOf({ participants }: VotingRoom, key: string | undefined): number | undefined {
  const index = participants.findIndex(participant => participant.key === key);
  return index < 0 ? undefined : index;
}

export function statusOf(room: VotingRoom): RoomStatus {
  const { room_id, status, topic, participants, version } = room;
  return {
    room_id,
    status,
    ...(topic !== undefined && { topic }),
    participants: participants.map(({ name }) => name),
    voted: participants.flatMap(({ choice }, index) => (choice === undefined ? [] : [index])),
    version,
    ...(status !== 'waiting' && { redirect_url: redirectUrl(room) }),
    ...(status === 'ended' && { result: resultOf(room) }),
  };
}

function resultOf({ participants }: VotingRoom): Result {
  const count = (wanted: Choice): number => participants.filter(({ choice }) => choice === wanted).length;
  return { yes: count('yes'), no: count('no'), abstain: count('abstain') };
}

function redirectUrl({ room_id }: VotingRoom): string {
  return `/?vote=${room_id}`;
}

function requireWaiting({ status }: VotingRoom): void {
  if (status !== 'waiting') throw new HttpProblem(409, 'voting has started');
}

function requireStarted({ status }: VotingRoom): void {
  if (status === 'waiting') throw new HttpProblem(409, 'voting has not started');
  if (status === 'ended') throw new HttpProblem(409, 'voting has ended');
}

function changed(room: VotingRoom, changes: Partial<VotingRoom>, message?: Announcement['message']): VotingRoom {
  const version = room.version + 1;
  const announcement = { id: `change-${version}`, ...(message !== undefined && { message }) };
  return { ...room, ...changes, version, pending: [...room.pending, announcement] };
}
