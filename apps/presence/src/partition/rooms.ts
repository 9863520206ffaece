/** The rooms of a partition: who enters, who leaves, and what the others hear of it. */
import { type LeaveReason, type MemberEventName, nodeOf, type RoomReport } from '@hubbub/protocol';
import type { Deadlines } from './deadlines.js';
import type { Journal } from './journal.js';
import { KeptMembers } from './kept-members.js';
import { endSessionStatus, setSessionStatus } from './member-status.js';
import type { Restoration } from './restoration.js';
import { type Member, Room, rosterUser } from './room.js';
import { type PresenceRules, rulesOfRoom } from './rules.js';

/** A counting room hears names again below this part of the threshold: a room on the edge does not flap. */
const SMALL_AGAIN = 0.9;

type Of<Kind extends RoomReport['kind']> = Extract<RoomReport, { kind: Kind }>;

export interface RoomsOptions {
  readonly journal: Journal;
  readonly deadlines: Deadlines;
  readonly rules: PresenceRules;
  /** No room opened from now on has a lower version. */
  readonly versionFloor: number;
  readonly restoration: Restoration;
}

export class Rooms {
  readonly #rooms = new Map<string, Room>();
  readonly #journal: Journal;
  readonly #deadlines: Deadlines;
  readonly #rules: PresenceRules;
  readonly #restoration: Restoration;
  #versionFloor: number;
  readonly #kept: KeptMembers;

  constructor(options: RoomsOptions) {
    this.#journal = options.journal;
    this.#deadlines = options.deadlines;
    this.#rules = options.rules;
    this.#versionFloor = options.versionFloor;
    this.#restoration = options.restoration;
    this.#kept = new KeptMembers(options.rules.maxKeptRoomsPerUser);
  }

  get size(): number {
    return this.#rooms.size;
  }

  get(room: string): Room | undefined {
    return this.#rooms.get(room);
  }

  values(): Iterable<Room> {
    return this.#rooms.values();
  }

  /** Takes back a room with its members as the registry has them. `restored` follows the last one. */
  restore(room: Room, nowMs: number): void {
    this.#rooms.set(room.name, room);
    for (const member of room.members.values()) {
      this.#restoration.memberRestored(room.name, member);
      if (member.state === 'here') continue;
      this.#await(room, member);
      if (member.lastSeenMs !== undefined) this.#kept.add(member.id, room.name, member.lastSeenMs);
    }
    room.counting ||= room.members.size >= this.#rules.countThreshold * SMALL_AGAIN;
    // The owner before may have promised a count.
    if (room.counting) this.#promiseCount(room, nowMs + this.#rules.countIntervalMs);
  }

  restored(): void {
    this.#kept.sort();
  }

  join(report: Of<'join'>, incarnation: number, node: string, nowMs: number): void {
    const rules = rulesOfRoom(this.#rules, report.room);
    if (rules.presence === 'off') return;
    const room = this.#rooms.get(report.room) ?? this.#open(report.room, nowMs);
    const known = room.members.get(report.user);
    const member = known ?? room.add(report.user, report.name);
    const wasAway = member.state === 'away';
    member.name = report.name;
    member.sessions.set(report.session, incarnation);
    const hasOtherStatus = setSessionStatus(member, report.session, report.status);
    if (member.state !== 'here') {
      member.state = 'here';
      member.dueAtMs = 0;
      this.#deadlines.clear({ kind: 'member', room: room.name, user: member.id });
      member.lastSeenMs = undefined;
      this.#kept.delete(member.id, room.name);
    }
    this.#journal.roomChanged(room.name, member.id);
    if (known === undefined) {
      const restored = report.resync === true && this.#restoration.covers(room.name, member.id, nowMs);
      this.#membershipChanged(
        room,
        nowMs,
        restored ? undefined : () => this.#announce(room, 'user_joined', member, report.session),
      );
      if (!restored) this.#notifyServices(room, 'member_joined', member, nowMs);
    } else if (wasAway || hasOtherStatus) {
      this.#statusChanged(room, member);
      if (wasAway) this.#notifyServices(room, 'member_online', member, nowMs);
    }
    if (this.#restoration.confirm(room.name, member.id)) this.#journal.refreshes.add(room.name);
    if (known === undefined || report.resync !== true || this.#restoration.answers(nowMs)) {
      this.#journal.joined(room.name, nodeOf(node), report.session);
    }
  }

  leave(report: Of<'leave' | 'drop'>, nowMs: number): void {
    const room = this.#rooms.get(report.room);
    const member = room?.members.get(report.user);
    if (room === undefined || member === undefined || !member.sessions.has(report.session)) return;
    this.#restoration.confirm(room.name, member.id);
    if (report.kind === 'drop') {
      this.drop(room, member, report.session, nowMs);
      return;
    }
    this.#endSession(room, member, report.session);
    if (member.sessions.size === 0) this.#remove(room, member, 'left', nowMs);
  }

  /** A connection ended; if it was the user's last here, the grace begins. It is `minGraceMs` or longer. */
  drop(room: Room, member: Member, session: string, nowMs: number, minGraceMs = 0): void {
    this.#endSession(room, member, session);
    if (member.sessions.size > 0) return;
    const { keepMembers, leaveGraceMs } = room.rules;
    member.state = 'leaving';
    if (keepMembers !== undefined) member.lastSeenMs = nowMs;
    member.dueAtMs = nowMs + Math.max(minGraceMs, keepMembers?.offlineAfterMs ?? leaveGraceMs);
    if (member.dueAtMs <= nowMs) this.expire(room.name, member.id, nowMs);
    else this.#await(room, member);
    if (keepMembers !== undefined) this.#keep(room, member, nowMs);
  }

  /** A grace, or the time that an absent member is kept, is over. */
  expire(roomName: string, user: string, nowMs: number): void {
    const room = this.#rooms.get(roomName);
    const member = room?.members.get(user);
    if (room === undefined || member === undefined) return;
    const { keepMembers } = room.rules;
    if (member.state === 'away' || keepMembers === undefined) {
      this.#remove(room, member, 'dropped', nowMs);
      return;
    }
    member.state = 'away';
    member.status = undefined;
    member.dueAtMs += keepMembers.expireAfterMs;
    this.#await(room, member);
    this.#statusChanged(room, member);
    this.#notifyServices(room, 'member_offline', member, nowMs);
  }

  setStatus(report: Of<'status'>): void {
    const room = this.#rooms.get(report.room);
    const member = room?.members.get(report.user);
    if (room === undefined || member === undefined || !member.sessions.has(report.session)) return;
    this.#journal.roomChanged(room.name, member.id);
    if (setSessionStatus(member, report.session, report.status)) this.#statusChanged(room, member);
  }

  /** Members may have missed changes: they get the roster or the count again. */
  repeat(roomName: string): void {
    const room = this.#rooms.get(roomName);
    if (room === undefined) return;
    if (room.counting) this.#journal.counts.add(room.name);
    else this.#journal.refreshes.add(room.name);
  }

  /** A promised count is due. */
  count(roomName: string, nowMs: number): void {
    const room = this.#rooms.get(roomName);
    if (room === undefined) return;
    room.countDueAtMs = undefined;
    if (!room.counting) return;
    room.nextCountAtMs = nowMs + this.#rules.countIntervalMs;
    this.#journal.counts.add(room.name);
  }

  #open(name: string, nowMs: number): Room {
    const room = new Room(name, rulesOfRoom(this.#rules, name), Math.max(nowMs, this.#versionFloor), false);
    this.#rooms.set(name, room);
    this.#journal.lifecycle.push({ event: 'room_occupied', room: name, atMs: nowMs });
    return room;
  }

  #endSession(room: Room, member: Member, session: string): void {
    member.sessions.delete(session);
    this.#journal.roomChanged(room.name, member.id);
    if (endSessionStatus(member, session)) this.#statusChanged(room, member);
  }

  /** A user who visits room after room without leaving them must not fill the registry: the room left first goes. */
  #keep({ name }: Room, { id }: Member, nowMs: number): void {
    this.#kept.add(id, name, nowMs);
    for (let oldest = this.#kept.oldestAboveLimit(id); oldest !== undefined; oldest = this.#kept.oldestAboveLimit(id)) {
      this.#kept.delete(id, oldest);
      const room = this.#rooms.get(oldest);
      const member = room?.members.get(id);
      if (room === undefined || member === undefined) continue;
      this.#remove(room, member, 'dropped', nowMs);
      this.#journal.keptMembersRemoved++;
    }
  }

  #remove(room: Room, member: Member, reason: LeaveReason, nowMs: number): void {
    const announce = this.#restoration.doubts(room.name, member.id)
      ? undefined
      : () => this.#announce(room, 'user_left', member);
    room.members.delete(member.id);
    this.#kept.delete(member.id, room.name);
    this.#deadlines.clear({ kind: 'member', room: room.name, user: member.id });
    this.#restoration.memberLeft(room.name, member.id, nowMs);
    this.#journal.roomChanged(room.name, member.id);
    this.#membershipChanged(room, nowMs, announce);
    this.#notifyServices(room, 'member_left', member, nowMs, reason);
    if (room.members.size > 0) return;
    this.#rooms.delete(room.name);
    this.#deadlines.clear({ kind: 'count', room: room.name });
    this.#journal.lifecycle.push({ event: 'room_vacated', room: room.name, atMs: nowMs });
    // A later room of this name must not count from lower down.
    this.#versionFloor = Math.max(this.#versionFloor, room.version);
    this.#journal.metaChanged('floor', String(this.#versionFloor));
  }

  /** @param announce announces the single change; without it the room gets its roster again */
  #membershipChanged(room: Room, nowMs: number, announce: (() => void) | undefined): void {
    room.version++;
    const wasCounting = room.counting;
    const size = room.members.size;
    const { countThreshold } = this.#rules;
    room.counting =
      room.rules.presence === 'counts' ||
      size > countThreshold ||
      (wasCounting && size >= Math.ceil(countThreshold * SMALL_AGAIN));
    if (room.counting) this.#announceCount(room, nowMs);
    else if (wasCounting || announce === undefined) this.#journal.refreshes.add(room.name);
    else announce();
  }

  #statusChanged(room: Room, member: Member): void {
    room.version++;
    this.#journal.roomChanged(room.name, member.id);
    if (room.counting) return;
    const payload = { user: rosterUser(member), version: room.version };
    this.#journal.announcements.push({
      to: 'room',
      type: 'user_status',
      room: room.name,
      payload,
      sender: identity(member),
    });
  }

  #announce(room: Room, type: 'user_joined' | 'user_left', member: Member, excludeSession?: string): void {
    const sender = identity(member);
    // With the status of a member who joins with one.
    const user = type === 'user_left' || member.status === undefined ? sender : rosterUser(member);
    this.#journal.announcements.push({
      to: 'room',
      type,
      room: room.name,
      payload: { user, count: room.members.size, version: room.version },
      sender,
      excludeSession,
    });
  }

  #notifyServices(room: Room, event: MemberEventName, { id, name }: Member, atMs: number, reason?: LeaveReason): void {
    if (!room.rules.memberEvents) return;
    const why = reason === undefined ? {} : { reason };
    this.#journal.lifecycle.push({ event, room: room.name, user: id, name, ...why, atMs });
  }

  #announceCount(room: Room, nowMs: number): void {
    if (room.countDueAtMs !== undefined) return;
    if (nowMs < room.nextCountAtMs) {
      this.#promiseCount(room, room.nextCountAtMs);
      return;
    }
    room.nextCountAtMs = nowMs + this.#rules.countIntervalMs;
    this.#journal.counts.add(room.name);
  }

  #promiseCount(room: Room, atMs: number): void {
    room.countDueAtMs = atMs;
    this.#deadlines.set({ kind: 'count', room: room.name, atMs });
  }

  #await(room: Room, member: Member): void {
    this.#deadlines.set({ kind: 'member', room: room.name, user: member.id, atMs: member.dueAtMs });
  }
}

function identity({ id, name }: Member): { id: string; name: string } {
  return { id, name };
}
