/** The users of a partition: which sessions each has, and in which rooms those are. */
import { fnv1a, type UserReport } from '@hubbub/protocol';
import type { Deadlines } from './deadlines.js';
import type { Journal } from './journal.js';
import type { PresenceRules } from './rules.js';
import { SmallMap } from './small-map.js';

export interface UserSession {
  /** Index of its incarnation. */
  incarnation: number;
  rooms: readonly string[];
}

export interface OnlineUser {
  readonly id: string;
  readonly sessions: SmallMap<UserSession>;
  /** Without a session: when the user counts as offline. Else 0. */
  dueAtMs: number;
}

/**
 * Hashes that the users of a partition are spread over: a key for each user would cost more than its content. At 100,000
 * sessions and 16 partitions about 100 in each, which Redis keeps as a listpack (hash-max-listpack-entries is 128).
 */
export const USER_BUCKETS = 64;

/** Other bits of the hash than those that chose the partition. */
export function bucketOf(user: string, partitions: number): number {
  return Math.floor(fnv1a(user) / partitions) % USER_BUCKETS;
}

const NO_ROOMS: readonly string[] = [];
/** Rooms by name: thousands of users are in the same room, and each report brings its own copy of the name. */
const roomNames = new Map<string, string>();
const ROOM_NAMES_KEPT = 10_000;

/** A list of exactly this length: one that grows by `push` reserves room for sixteen more. */
export function withRoom(rooms: readonly string[], room: string): readonly string[] {
  let name = roomNames.get(room);
  if (name === undefined) {
    if (roomNames.size >= ROOM_NAMES_KEPT) roomNames.clear();
    roomNames.set(room, room);
    name = room;
  }
  return rooms.length === 0 ? [name] : [...rooms, name];
}

export class Users {
  readonly #users = new Map<string, OnlineUser>();
  readonly #journal: Journal;
  readonly #deadlines: Deadlines;
  readonly #graceMs: number;
  readonly #maxSessions: number;

  constructor(
    journal: Journal,
    deadlines: Deadlines,
    rules: Pick<PresenceRules, 'userGraceMs' | 'maxSessionsPerUser'>,
  ) {
    this.#journal = journal;
    this.#deadlines = deadlines;
    this.#graceMs = rules.userGraceMs;
    this.#maxSessions = rules.maxSessionsPerUser || Number.POSITIVE_INFINITY;
  }

  /** Users with a session, and those whose grace still runs. */
  get online(): number {
    return this.#users.size;
  }

  get(user: string): OnlineUser | undefined {
    return this.#users.get(user);
  }

  get byId(): ReadonlyMap<string, OnlineUser> {
    return this.#users;
  }

  values(): Iterable<OnlineUser> {
    return this.#users.values();
  }

  restore(user: OnlineUser): void {
    this.#users.set(user.id, user);
    if (user.sessions.size === 0) this.#deadlines.set({ kind: 'user', user: user.id, atMs: user.dueAtMs });
  }

  /** @param node of the incarnation: where a session that is refused has to end. */
  apply(report: UserReport, incarnation: number, node: string, nowMs: number): void {
    const user = this.#users.get(report.user);
    const session = user?.sessions.get(report.session);
    if (report.kind === 'connect') {
      // One that is known moves to a new incarnation; one that is not registered is not known to anything that follows.
      const isOneMore = session === undefined && (user?.sessions.size ?? 0) >= this.#maxSessions;
      if (isOneMore) this.#journal.refused.push({ node, session: report.session });
      else this.#connect(report.user, report.session, incarnation, nowMs);
    } else if (user === undefined || session === undefined) return;
    else if (report.kind === 'disconnect') this.drop(user, report.session, nowMs);
    else this.#moved(user, session, report);
  }

  /** The session's connection ended. */
  drop(user: OnlineUser, session: string, nowMs: number): void {
    user.sessions.delete(session);
    this.#journal.users.add(user.id);
    if (user.sessions.size > 0) return;
    user.dueAtMs = nowMs + this.#graceMs;
    this.#deadlines.set({ kind: 'user', user: user.id, atMs: user.dueAtMs });
  }

  /** The grace is over. */
  expire(id: string, nowMs: number): void {
    this.#users.delete(id);
    this.#journal.users.add(id);
    this.#journal.lifecycle.push({ event: 'user_offline', user: id, atMs: nowMs });
  }

  #moved(user: OnlineUser, session: UserSession, { kind, room }: Extract<UserReport, { room: string }>): void {
    const at = session.rooms.indexOf(room);
    if (kind === 'enter' ? at >= 0 : at < 0) return;
    session.rooms = kind === 'enter' ? withRoom(session.rooms, room) : session.rooms.toSpliced(at, 1);
    this.#journal.users.add(user.id);
  }

  #connect(id: string, session: string, incarnation: number, nowMs: number): void {
    let user = this.#users.get(id);
    if (user === undefined) {
      user = { id, sessions: new SmallMap(), dueAtMs: 0 };
      this.#users.set(id, user);
      this.#journal.lifecycle.push({ event: 'user_online', user: id, atMs: nowMs });
    }
    // A known session arrives with a new incarnation, and reports its rooms again.
    if (user.dueAtMs > 0) this.#deadlines.clear({ kind: 'user', user: id });
    user.dueAtMs = 0;
    user.sessions.set(session, { incarnation, rooms: NO_ROOMS });
    this.#journal.users.add(id);
  }
}
