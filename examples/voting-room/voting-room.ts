/** A voting room as a document, and what may happen to it. Pure: the service gives it to `documents.update`. */

/** A type and not an interface: documents are records, which interfaces are not. */
export type VotingRoom = {
  readonly room_id: string;
  readonly status: 'waiting' | 'started';
  /** The names of ready participants, each once. */
  readonly participants: readonly string[];
  /** Counts the changes that people see: of two states the one with the higher version is newer. */
  readonly version: number;
  /** Changes not yet announced, oldest first (announcements.ts). */
  readonly untold: readonly Announcement[];
  /** Since when nobody is there, in milliseconds since 1970; `undefined` while somebody is. */
  readonly emptySinceMs?: number;
};

/** A message to the room. */
export interface Announcement {
  /** Unique in the room. */
  readonly id: string;
  readonly type: 'participant_ready' | 'voting_started';
  readonly payload: Readonly<Record<string, string>>;
}

/** The answer to a request that the state of the room does not allow. */
export class Refusal extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

export const PARTICIPANTS_MAX = 200;

export function newRoom(room_id: string, nowMs: number): VotingRoom {
  return { room_id, status: 'waiting', participants: [], version: 1, untold: [], emptySinceMs: nowMs };
}

/** A repetition, because the answer was lost, counts once. */
export function participate(room: VotingRoom | undefined, text: string): VotingRoom {
  const known = existing(room);
  if (known.participants.includes(text)) return known;
  if (known.status === 'started') throw new Refusal(409, 'voting has started');
  if (known.participants.length >= PARTICIPANTS_MAX) throw new Refusal(409, 'the room is full');
  const changed = { ...known, participants: [...known.participants, text] };
  return telling(changed, 'participant_ready', { message: text });
}

/** Only once: a second call is refused. */
export function start(room: VotingRoom | undefined): VotingRoom {
  const known = existing(room);
  if (known.status === 'started') throw new Refusal(409, 'voting has started');
  const message = 'The voting has started.';
  return telling({ ...known, status: 'started' }, 'voting_started', { message, redirect_url: redirectUrl(known) });
}

export function redirectUrl({ room_id }: VotingRoom): string {
  return `/voting.html?room=${room_id}`;
}

/** Removes announced changes; later ones stay. */
export function withoutAnnounced(room: VotingRoom, announcements: readonly Announcement[]): VotingRoom {
  const ids = new Set(announcements.map(({ id }) => id));
  return { ...room, untold: room.untold.filter(({ id }) => !ids.has(id)) };
}

export function emptySince(room: VotingRoom, emptySinceMs: number): VotingRoom {
  return { ...room, emptySinceMs };
}

export function occupied({ emptySinceMs: _, ...room }: VotingRoom): VotingRoom {
  return room;
}

export function existing(room: VotingRoom | undefined): VotingRoom {
  if (room === undefined) throw new Refusal(404, 'unknown room');
  return room;
}

/** The public state of a room. */
export function statusOf(room: VotingRoom): {
  room_id: string;
  status: VotingRoom['status'];
  participants: readonly string[];
  version: number;
  redirect_url?: string;
} {
  const { room_id, status, participants, version } = room;
  return { room_id, status, participants, version, ...(status === 'started' && { redirect_url: redirectUrl(room) }) };
}

function telling(room: VotingRoom, type: Announcement['type'], payload: Announcement['payload']): VotingRoom {
  const version = room.version + 1;
  return { ...room, version, untold: [...room.untold, { id: `change-${version}`, type, payload }] };
}
