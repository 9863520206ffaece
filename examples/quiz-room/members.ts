/** The members of a room: seats by name, pages that join, connections that drop and return. Pure, and harmless when repeated. */
import { active, changed, type Member, type QuizRoom } from './quiz.js';
import { Refusal } from './refusal.js';

export interface Seat {
  readonly userId: string;
  readonly name: string;
  readonly role: Member['role'];
  readonly passHash: string;
  readonly nowMs: number;
}

export const MEMBERS_MAX = 50;
const NAME_MAX = 24;
/** How long a name is kept for a page that has not joined the room: it may have been closed immediately. */
const SEAT_KEPT_MS = 30_000;

/** A name as it is shown. @throws {Refusal} `NAME_INVALID` */
export function readName(text: string): string {
  const name = text.trim().replace(/\s+/g, ' ');
  if (name === '') throw new Refusal(422, 'NAME_INVALID', 'Enter your name.');
  if ([...name].length <= NAME_MAX) return name;
  throw new Refusal(422, 'NAME_INVALID', `That name is too long: take one of at most ${NAME_MAX} characters.`);
}

/** Gives a seat; who has the pass of one gets it again. @throws {Refusal} `NAME_TAKEN`, `ROOM_FULL` */
export function seat(room: QuizRoom, { userId, name, role, passHash, nowMs }: Seat): QuizRoom {
  if (memberByPass(room, passHash) !== undefined) return active(room, nowMs);
  const members = room.members.filter(({ entered, seatedAtMs }) => entered || nowMs - seatedAtMs < SEAT_KEPT_MS);
  if (members.some(member => sameName(member.name, name))) {
    throw new Refusal(409, 'NAME_TAKEN', `Somebody here is called ${name} already: take another name.`);
  }
  if (members.length >= MEMBERS_MAX) {
    throw new Refusal(409, 'ROOM_FULL', `The room is full: ${MEMBERS_MAX} people are in it.`);
  }
  const member = {
    id: userId,
    name,
    role,
    passHash,
    seatedAtMs: nowMs,
    entered: false,
    online: false,
    presenceAtMs: 0,
  };
  return active(changed(room, { members: [...members, member] }), nowMs);
}

/** Its page is in the room and hears what is published. @throws {Refusal} `FORBIDDEN` for who has no seat. */
export function enter(room: QuizRoom, userId: string, atMs: number): QuizRoom {
  const member = memberById(room, userId);
  if (member === undefined) throw noMember();
  if (member.entered) return active(room, atMs);
  // The hub's news of this member may have come before: it knows better.
  const online = member.presenceAtMs === 0 || member.online;
  return active(withMember(room, { ...member, entered: true, online }), atMs);
}

/** News of the hub's registry: a member did not reconnect in time, or has returned. */
export function seen(room: QuizRoom, userId: string, { online, atMs }: { online: boolean; atMs: number }): QuizRoom {
  const member = memberById(room, userId);
  if (member === undefined || atMs < member.presenceAtMs) return room;
  const { lastSeenMs, ...rest } = member;
  const known = online ? rest : { ...rest, lastSeenMs: member.online ? atMs : (lastSeenMs ?? atMs) };
  const next = withMember(room, { ...known, online, presenceAtMs: atMs });
  return online ? active(next, atMs) : next;
}

/** It left by itself. The host's seat is kept, and so is that of who has points already. */
export function left(room: QuizRoom, userId: string, atMs: number): QuizRoom {
  const member = memberById(room, userId);
  if (member === undefined || atMs < member.presenceAtMs || atMs < member.seatedAtMs) return room;
  if (member.role === 'host' || room.asked.length > 0) return seen(room, userId, { online: false, atMs });
  return changed(room, { members: room.members.filter(({ id }) => id !== userId) });
}

export function memberById(room: QuizRoom, userId: string): Member | undefined {
  return room.members.find(({ id }) => id === userId);
}

export function memberByPass(room: QuizRoom, passHash: string): Member | undefined {
  return room.members.find(member => member.passHash === passHash);
}

export function noMember(): Refusal {
  return new Refusal(403, 'FORBIDDEN', 'You are not in this quiz: join it with its code.');
}

function withMember(room: QuizRoom, member: Member): QuizRoom {
  return changed(room, { members: room.members.map(each => (each.id === member.id ? member : each)) });
}

function sameName(one: string, other: string): boolean {
  return one.localeCompare(other, undefined, { sensitivity: 'base' }) === 0;
}
