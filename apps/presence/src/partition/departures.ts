/** The sessions of incarnations that are gone, removed a slice at a time: a dead edge can hold tens of thousands. */
import type { Incarnations } from './incarnations.js';
import type { Rooms } from './rooms.js';
import type { Users } from './users.js';

/**
 * A resync begins with the end of the former incarnation, and the rest may need this time. Even without a grace, members
 * must not see it.
 */
export const RESYNC_MS = 2000;

interface Departure {
  readonly incarnation: number;
  readonly minGraceMs: number;
  /** Each removes one session, or does nothing if it has moved on meanwhile. */
  readonly members: ReadonlyArray<{ readonly room: string; readonly user: string; readonly session: string }>;
  readonly users: ReadonlyArray<{ readonly user: string; readonly session: string }>;
  next: number;
}

export class Departures {
  readonly #queue: Departure[] = [];
  readonly #rooms: Rooms;
  readonly #users: Users;
  readonly #incarnations: Incarnations;

  constructor(rooms: Rooms, users: Users, incarnations: Incarnations) {
    this.#rooms = rooms;
    this.#users = users;
    this.#incarnations = incarnations;
  }

  get pending(): boolean {
    return this.#queue.length > 0;
  }

  /**
   * Looks through the whole partition: that is rare, and an index by incarnation would cost memory for each session.
   * The remaining work needs no storage: the rows still name the incarnation that is gone.
   * @param minGraceMs of members whose namespace has a shorter grace
   */
  begin(incarnation: number, minGraceMs: number): void {
    const members: Departure['members'][number][] = [];
    for (const room of this.#rooms.values()) {
      for (const member of room.members.values()) {
        for (const [session, of] of member.sessions) {
          if (of === incarnation) members.push({ room: room.name, user: member.id, session });
        }
      }
    }
    const users: Departure['users'][number][] = [];
    for (const user of this.#users.values()) {
      for (const [session, of] of user.sessions) {
        if (of.incarnation === incarnation) users.push({ user: user.id, session });
      }
    }
    this.#queue.push({ incarnation, minGraceMs, members, users, next: 0 });
  }

  /** Takes out at most `limit` sessions. */
  step(limit: number, nowMs: number): void {
    let left = limit;
    for (let departure = this.#queue[0]; departure !== undefined; departure = this.#queue[0]) {
      while (left > 0 && departure.next < departure.members.length + departure.users.length) {
        this.#takeOut(departure, departure.next++, nowMs);
        left--;
      }
      if (departure.next < departure.members.length + departure.users.length) return;
      this.#incarnations.release(departure.incarnation);
      this.#queue.shift();
    }
  }

  #takeOut(departure: Departure, index: number, nowMs: number): void {
    const { incarnation, members, users } = departure;
    const ofRoom = members[index];
    if (ofRoom !== undefined) {
      const room = this.#rooms.get(ofRoom.room);
      const member = room?.members.get(ofRoom.user);
      if (room === undefined || member?.sessions.get(ofRoom.session) !== incarnation) return;
      this.#rooms.drop(room, member, ofRoom.session, nowMs, departure.minGraceMs);
      return;
    }
    const ofUser = users[index - members.length];
    const user = ofUser && this.#users.get(ofUser.user);
    if (user?.sessions.get(ofUser?.session ?? '')?.incarnation !== incarnation) return;
    if (user !== undefined && ofUser !== undefined) this.#users.drop(user, ofUser.session, nowMs);
  }
}
