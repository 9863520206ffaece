/** Turns the notes of a journal into effects: rows as they are now, answers with the roster as it is now. */
import type { RoomCount, RoomInfo } from '@hubbub/protocol';
import type { Announcement, Effects, HashChange } from './effects.js';
import type { Journal } from './journal.js';
import type { Room } from './room.js';
import type { Rooms } from './rooms.js';
import { encodeMember, encodeUser } from './row-codec.js';
import { bucketOf, type Users } from './users.js';

export function effectsOf(journal: Journal, rooms: Rooms, users: Users, partitions: number, pageSize: number): Effects {
  return {
    hashes: [...roomHashes(journal, rooms), ...userHashes(journal, users, partitions), ...metaHash(journal)],
    announcements: [...journal.announcements, ...answers(journal, rooms, pageSize)],
    refused: [...journal.refused],
    lifecycle: [...journal.lifecycle],
    keptMembersRemoved: journal.keptMembersRemoved,
  };
}

function* roomHashes(journal: Journal, rooms: Rooms): Iterable<HashChange> {
  if (journal.rooms.size === 0) return;
  const index = { name: 'rooms', clear: false, set: new Map<string, string>(), remove: [] as string[] };
  for (const [name, changed] of journal.rooms) {
    const room = rooms.get(name);
    if (room === undefined) {
      index.remove.push(name);
      yield { name: roomHash(name), clear: true, set: new Map(), remove: [] };
      continue;
    }
    index.set.set(name, room.indexEntry);
    const change = {
      name: roomHash(name),
      clear: !room.stored,
      set: new Map<string, string>(),
      remove: [] as string[],
    };
    for (const user of changed) {
      const member = room.members.get(user);
      if (member !== undefined) change.set.set(user, encodeMember(member));
      else if (room.stored) change.remove.push(user);
    }
    room.stored = true;
    yield change;
  }
  yield index;
}

function* userHashes(journal: Journal, users: Users, partitions: number): Iterable<HashChange> {
  const buckets = new Map<number, { set: Map<string, string>; remove: string[] }>();
  for (const id of journal.users) {
    const number = bucketOf(id, partitions);
    let bucket = buckets.get(number);
    if (bucket === undefined) {
      bucket = { set: new Map(), remove: [] };
      buckets.set(number, bucket);
    }
    const user = users.get(id);
    if (user === undefined) bucket.remove.push(id);
    else bucket.set.set(id, encodeUser(user));
  }
  for (const [number, bucket] of buckets) yield { name: userHash(number), clear: false, ...bucket };
}

function* metaHash(journal: Journal): Iterable<HashChange> {
  if (journal.meta.size === 0) return;
  const set = new Map<string, string>();
  const remove: string[] = [];
  for (const [field, value] of journal.meta) {
    if (value === undefined) remove.push(field);
    else set.set(field, value);
  }
  yield { name: 'meta', clear: false, set, remove };
}

/** Announces the state at the end of the batch, so that one encoding serves many. */
function* answers(journal: Journal, rooms: Rooms, pageSize: number): Iterable<Announcement> {
  for (const name of journal.counts) {
    const room = rooms.get(name);
    if (room !== undefined) yield { to: 'room', type: 'room_count', room: name, payload: { ...countOf(room) } };
  }
  for (const name of journal.refreshes) {
    const room = rooms.get(name);
    if (room === undefined || room.counting) continue;
    yield { to: 'room', type: 'room_info', room: name, payload: { ...infoOf(room, pageSize) } };
  }
  for (const [name, nodes] of journal.joiners) {
    const room = rooms.get(name);
    if (room === undefined) continue;
    const counted = room.rules.presence === 'counts';
    // The joiners are members already: the announcement to the whole room answers them, too.
    if (counted ? journal.counts.has(name) : journal.refreshes.has(name) && !room.counting) continue;
    // One object for all nodes: the encoder sees that it is the same.
    const payload = counted ? { ...countOf(room) } : { ...infoOf(room, pageSize) };
    const type = counted ? 'room_count' : 'room_info';
    for (const [node, sessions] of nodes) {
      yield { to: 'sessions', type, room: name, payload, node, sessions: [...sessions] };
    }
  }
}

export function infoOf(room: Room, pageSize: number, after?: number): RoomInfo {
  const page = room.rules.presence === 'counts' ? { users: [] } : room.page(pageSize, after);
  return { room_id: room.name, count: room.members.size, version: room.version, ...page };
}

function countOf(room: Room): RoomCount {
  return { room_id: room.name, count: room.members.size, version: room.version };
}

export function roomHash(room: string): string {
  return `room:${room}`;
}

export function userHash(bucket: number): string {
  return `users:${bucket}`;
}
