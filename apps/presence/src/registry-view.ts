/** Rows and page cursors of the registry as readers get them. */
import { HubbubError, nodeOf } from '@hubbub/protocol';
import { lastSeen } from './partition/room.js';
import { decodeMember, decodeUser } from './partition/row-codec.js';
import type { RoomSummary, RosterEntry, UserView } from './registry-reader.js';

/** `<version> <users>`, as the index of rooms has it; a room that is not in it is empty. */
export function roomSummary(room: string, entry: string | null | undefined): RoomSummary {
  const [version = 0, users = 0] = (entry ?? '').split(' ').map(part => Number.parseInt(part, 10) || 0);
  return { room, users, version };
}

/** Rows that presence did not write are left out. */
export function rosterEntries(
  rows: Iterable<readonly [string, string]>,
  meta: ReadonlyMap<string, string>,
): RosterEntry[] {
  const entries: RosterEntry[] = [];
  for (const [id, row] of rows) {
    const member = decodeMember(id, row);
    if (member === undefined) continue;
    const { name, state, status } = member;
    entries.push({
      id,
      name,
      online: state !== 'away',
      ...lastSeen(member),
      ...(status !== undefined && { status }),
      sessions: Array.from(member.sessions, ([session, incarnation]) => ({
        session,
        node: nodeName(incarnation, meta),
      })),
    });
  }
  return entries;
}

export function userView(id: string, row: string | null | undefined, meta: ReadonlyMap<string, string>): UserView {
  const user = row ? decodeUser(id, row) : undefined;
  if (user === undefined) return { id, online: false, sessions: [] };
  const sessions = Array.from(user.sessions, ([session, { incarnation, rooms }]) => ({
    session,
    node: nodeName(incarnation, meta),
    rooms,
  }));
  return { id, online: true, sessions };
}

/** `meta` names the incarnation behind each number (see incarnations.ts). */
function nodeName(incarnation: number, meta: ReadonlyMap<string, string>): string {
  return nodeOf(meta.get(`i${incarnation}`) ?? '');
}

/** Where a page ended: a partition, and the place in its hash. */
export interface RegistryCursor {
  readonly partition: number;
  /** Of HSCAN; `0` is the beginning. */
  readonly scan: string;
}

const CURSOR = /^(\d{1,4})\.(\d{1,20})$/;

export function encodeCursor({ partition, scan }: RegistryCursor): string {
  return `${partition}.${scan}`;
}

/** @throws {HubbubError} `INVALID_FORMAT` when it is malformed. */
export function decodeCursor(text: string | undefined): RegistryCursor {
  if (text === undefined) return { partition: 0, scan: '0' };
  const [, partition, scan] = CURSOR.exec(text) ?? [];
  if (partition === undefined || scan === undefined) {
    throw new HubbubError('INVALID_FORMAT', 'cursor: expected `next` of the previous page.');
  }
  return { partition: Number(partition), scan };
}
