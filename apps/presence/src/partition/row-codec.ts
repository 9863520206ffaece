/**
 * Rows of the registry, as short as they can be: Redis keeps a hash in a listpack only while no value is over 64 bytes.
 *
 * A member of a room (field: user id): `[name, incarnation, session, …]`, name 0 when it is the id; then, where there is
 * a state, `{ s: status, l: leaving until, a: away until, d: last seen, b: [session, status, …] }`. `b` is there
 * when several sessions share the member: the status of each.
 * A user online (field: user id): `[incarnation, session, room, …, incarnation, session, …]`, then `{ l: leaving until }`.
 */
import { isPlainObject, isReportedStatus, type Status } from '@hubbub/protocol';
import type { Member, StoredMember } from './room.js';
import { SmallMap } from './small-map.js';
import { type OnlineUser, type UserSession, withRoom } from './users.js';

export function encodeMember(member: Member): string {
  const row: unknown[] = [member.name === member.id ? 0 : member.name];
  for (const [session, incarnation] of member.sessions) row.push(incarnation, session);
  if (member.state === 'here' && member.status === undefined && member.statuses === undefined)
    return JSON.stringify(row);
  const extras = {
    ...(member.status !== undefined && { s: member.status }),
    ...(member.state === 'leaving' && { l: member.dueAtMs }),
    ...(member.state === 'away' && { a: member.dueAtMs }),
    ...(member.lastSeenMs !== undefined && { d: member.lastSeenMs }),
    ...(member.statuses !== undefined && member.sessions.size > 1 && { b: [...member.statuses].flat() }),
  };
  if (Object.keys(extras).length > 0) row.push(extras);
  return JSON.stringify(row);
}

/** `undefined` when somebody else wrote the row: it is left out. */
export function decodeMember(id: string, text: string): StoredMember | undefined {
  const row = parseRow(text);
  if (row === undefined) return undefined;
  const name = row[0] === 0 ? id : row[0];
  if (typeof name !== 'string') return undefined;
  const extras = extrasOf(row);
  const sessions = new SmallMap<number>();
  for (let i = 1; i + 1 < row.length; i += 2) {
    const [incarnation, session] = [row[i], row[i + 1]];
    if (typeof incarnation === 'number' && typeof session === 'string') sessions.set(session, incarnation);
  }
  const statuses = statusesOf(extras, sessions);
  const dueAtMs = Number(extras.l ?? extras.a ?? 0);
  // A row without a session and without a deadline cannot be ours; treated as due, it goes away by itself.
  const state = extras.a !== undefined ? 'away' : extras.l !== undefined || sessions.size === 0 ? 'leaving' : 'here';
  return {
    id,
    name,
    sessions,
    state,
    dueAtMs,
    status: isReportedStatus(extras.s) ? extras.s : undefined,
    statuses: statuses.size > 0 ? statuses : undefined,
    lastSeenMs: isTime(extras.d) ? extras.d : undefined,
  };
}

/** Where one session has the member for itself, the status that is shown is its own. */
function statusesOf({ s: shown, b: all }: Record<string, unknown>, sessions: SmallMap<number>) {
  const [only] = sessions.keys();
  const pairs = Array.isArray(all) ? all : [only, shown];
  const statuses = new Map<string, Status>();
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const [session, status] = [pairs[i], pairs[i + 1]];
    if (sessions.has(session) && isReportedStatus(status)) statuses.set(session, status);
  }
  return statuses;
}

export function encodeUser(user: OnlineUser): string {
  const row: unknown[] = [];
  for (const [session, { incarnation, rooms }] of user.sessions) row.push(incarnation, session, ...rooms);
  if (user.sessions.size === 0) row.push({ l: user.dueAtMs });
  return JSON.stringify(row);
}

export function decodeUser(id: string, text: string): OnlineUser | undefined {
  const row = parseRow(text);
  if (row === undefined) return undefined;
  const sessions = new SmallMap<UserSession>();
  let current: UserSession | undefined;
  for (let i = 0; i < row.length; i++) {
    const item = row[i];
    const next = row[i + 1];
    if (typeof item === 'number' && typeof next === 'string') {
      current = { incarnation: item, rooms: [] };
      sessions.set(next, current);
      i++;
    } else if (typeof item === 'string') {
      if (current !== undefined) current.rooms = withRoom(current.rooms, item);
    }
  }
  return { id, sessions, dueAtMs: sessions.size === 0 ? Number(extrasOf(row).l ?? 0) : 0 };
}

function parseRow(text: string): unknown[] | undefined {
  try {
    const row: unknown = JSON.parse(text);
    return Array.isArray(row) ? row : undefined;
  } catch {
    return undefined; // Not written by presence.
  }
}

/** The range of `Date`. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= 8.64e15;
}

function extrasOf(row: readonly unknown[]): Record<string, unknown> {
  const last = row[row.length - 1];
  return isPlainObject(last) ? last : {};
}
