/** A session as its account describes it, while it lives and after it has ended. */
import { CLOSE_CODES, type Sender } from '@hubbub/protocol';
import type { SessionAccount } from '@hubbub/protocol/account';
import type { SessionEncoding } from '@hubbub/protocol/session-encoding';
import { readFrames } from './last-frames.js';
import type { Trail, TrailEntry } from './trail.js';

/** The part of a session that is read. */
export interface AccountedSession {
  readonly id: string;
  readonly user: Sender;
  readonly address: string | undefined;
  readonly encoding: SessionEncoding;
  readonly state: SessionAccount['state'];
  readonly pathRoom: string | undefined;
  readonly rooms: Iterable<string> & { readonly size: number; has(room: string): boolean };
  /** Whole seconds since 1970. */
  readonly openedAtSeconds: number;
  /** Its first join, which takes no entry in its trail; 0: it has not joined the room of its path. */
  readonly joinedPathRoomAtSeconds: number;
  /** See last-frames.ts. */
  readonly lastFrames: number;
  readonly expiresAtMs: number | undefined;
  readonly waitingFrames: number;
  readonly cost: { readonly clock: { readonly nowMs: number } } | undefined;
  readonly socket: { getBufferedAmount(): number };
}

export interface ClosedSession
  extends Pick<
    AccountedSession,
    | 'id'
    | 'user'
    | 'address'
    | 'encoding'
    | 'pathRoom'
    | 'openedAtSeconds'
    | 'joinedPathRoomAtSeconds'
    | 'lastFrames'
    | 'expiresAtMs'
  > {
  readonly rooms: readonly string[];
  readonly roomCount: number;
  readonly lastFrameAtMs: number | undefined;
  readonly trail: Trail | undefined;
  readonly closed: { readonly code: number; readonly reason: string; readonly atMs: number };
}

const ROOMS_MAX = 100;

export function closedSession(
  session: AccountedSession,
  trail: Trail | undefined,
  closed: ClosedSession['closed'],
): ClosedSession {
  const { id, user, address, encoding, pathRoom, openedAtSeconds, joinedPathRoomAtSeconds, lastFrames, expiresAtMs } =
    session;
  return {
    ...{ id, user, address, encoding, pathRoom, openedAtSeconds, joinedPathRoomAtSeconds, lastFrames, expiresAtMs },
    rooms: firstRooms(session.rooms),
    roomCount: session.rooms.size,
    lastFrameAtMs: lastFrameAtMs(session),
    trail,
    closed,
  };
}

/** @param gaps that may have hit it; those outside its life are left out */
export function describeSession(
  session: AccountedSession,
  node: string,
  trail: Trail | undefined,
  gaps: readonly TrailEntry[],
): SessionAccount {
  return {
    ...commonFields(session, { node, trail, gaps, lastFrameAtMs: lastFrameAtMs(session), endMs: Infinity }),
    state: session.state,
    rooms: firstRooms(session.rooms),
    room_count: session.rooms.size,
    buffered_bytes: session.state === 'closed' ? 0 : session.socket.getBufferedAmount(),
    waiting_frames: session.waitingFrames,
  };
}

export function describeClosedSession(
  session: ClosedSession,
  node: string,
  gaps: readonly TrailEntry[],
): SessionAccount {
  const { code, reason, atMs } = session.closed;
  return {
    ...commonFields(session, { node, gaps, trail: session.trail, lastFrameAtMs: session.lastFrameAtMs, endMs: atMs }),
    state: 'closed',
    rooms: [...session.rooms],
    room_count: session.roomCount,
    buffered_bytes: 0,
    waiting_frames: 0,
    closed: { at: time(atMs), code, cause: causeOf(session), ...(reason !== '' && { reason }) },
  };
}

interface Circumstances extends Pick<ClosedSession, 'trail' | 'lastFrameAtMs'> {
  readonly node: string;
  readonly gaps: readonly TrailEntry[];
  readonly endMs: number;
}

function commonFields(
  session: Omit<ClosedSession, 'rooms' | 'roomCount' | 'lastFrameAtMs' | 'trail' | 'closed'>,
  { node, gaps, trail, lastFrameAtMs, endMs }: Circumstances,
) {
  const { id, user, address, encoding, pathRoom, openedAtSeconds, expiresAtMs } = session;
  const own = gaps.filter(({ lastAtMs, atMs }) => lastAtMs >= openedAtSeconds * 1000 && atMs <= endMs);
  const entries = [...firstJoin(session), ...(trail?.entries ?? []), ...own].sort(
    (one, other) => one.atMs - other.atMs,
  );
  return {
    session_id: id,
    node,
    user,
    ...(address !== undefined && { address }),
    encoding,
    connected_at: time(openedAtSeconds * 1000),
    ...(expiresAtMs !== undefined && { expires_at: time(expiresAtMs) }),
    ...(pathRoom !== undefined && { path_room: pathRoom }),
    last_frames: readFrames(session.lastFrames),
    ...(lastFrameAtMs !== undefined && { last_frame_at: time(lastFrameAtMs) }),
    entries: entries.map(describeEntry),
    entries_dropped: trail?.dropped ?? 0,
  };
}

function firstJoin({
  pathRoom: room,
  joinedPathRoomAtSeconds,
}: Pick<AccountedSession, 'pathRoom' | 'joinedPathRoomAtSeconds'>): TrailEntry[] {
  const atMs = joinedPathRoomAtSeconds * 1000;
  return atMs === 0 ? [] : [{ event: 'joined', room, atMs, count: 1, lastAtMs: atMs }];
}

export function describeEntry({
  atMs,
  lastAtMs,
  count,
  event,
  ...facts
}: TrailEntry): SessionAccount['entries'][number] {
  const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
  return { at: time(atMs), event, ...known, count, ...(count > 1 && { last_at: time(lastAtMs) }) };
}

export function time(atMs: number): string {
  return new Date(atMs).toISOString();
}

function firstRooms(rooms: Iterable<string>): string[] {
  const first: string[] = [];
  for (const room of rooms) {
    if (first.length === ROOMS_MAX) break;
    first.push(room);
  }
  return first;
}

/** The clock of costs is set with each frame; it never goes back, and does not name a time of day. */
function lastFrameAtMs({ cost, lastFrames }: Pick<AccountedSession, 'cost' | 'lastFrames'>): number | undefined {
  return cost === undefined || lastFrames === 0 ? undefined : Date.now() - performance.now() + cost.clock.nowMs;
}

const CODE_NAMES = new Map<number, string>(Object.entries(CLOSE_CODES).map(([name, code]) => [code, name]));
/** Those that a client sends when it closes; 1005: it named no code. */
const OF_CLIENTS: readonly number[] = [CLOSE_CODES.NORMAL, CLOSE_CODES.GOING_AWAY, 1005];
/** The engine's text for a connection that was silent for idleTimeoutMs. */
const TIMED_OUT = /timed out/i;

function causeOf({ closed: { code, reason }, trail }: ClosedSession): string {
  const last = trail?.entries.at(-1)?.event;
  if (last === 'slow_reader' || last === 'unread') return last;
  if (OF_CLIENTS.includes(code)) return 'client';
  if (code !== CLOSE_CODES.ABNORMAL) return CODE_NAMES.get(code) ?? 'client';
  return TIMED_OUT.test(reason) ? 'idle_timeout' : 'connection_lost';
}
