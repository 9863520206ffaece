/** The users of a partition: which sessions each has, and in which rooms those are. */
import { fnv1a, type UserReport } from '@hubbub/protocol';
import type { Deadlines } from './deadlines.js';
import type { Journal } from './journal.js';
import type { PresenceRules } from './rules.js';

export interface UserSession {
  /** Index of its incarnation. */
  incarnation: number;
  rooms: string[];
}

export interface OnlineUser {
  readonly id: string;
  readonly sessions: Map<string, UserSession>;
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
    if (kind === 'enter') session.rooms.push(room);
    else session.rooms.splice(at, 1);
    this.#journal.users.add(user.id);
  }

  #connect(id: string, session: string, incarnation: number, nowMs: number): void {
    let user = this.#users.get(id);
    if (user === undefined) {
      user = { id, sessions: new Map(), dueAtMs: 0 };
      this.#users.set(id, user);
      this.#journal.lifecycle.push({ event: 'user_online', user: id, atMs: nowMs });
    }
    // A known session arrives with a new incarnation, and reports its rooms again.
    user.sessions.set(session, { incarnation, rooms: [] });
    user.dueAtMs = 0;
    this.#deadlines.clear({ kind: 'user', user: id });
    this.#journal.users.add(id);
  }
}
