/**
 * One partition of presence: a pure state machine. Reports and time go in, effects come out. It has no clock and does no I/O,
 * so that a random test can compare it with a model.
 */
import { nodeOf, type Report } from '@hubbub/protocol';
import { Deadlines } from './deadlines.js';
import { Departures, RESYNC_MS } from './departures.js';
import type { Effects } from './effects.js';
import { Incarnations } from './incarnations.js';
import { Journal } from './journal.js';
import { effectsOf } from './journal-effects.js';
import { Questions } from './questions.js';
import { Restoration } from './restoration.js';
import { noteDifferences } from './rewriting.js';
import { Room } from './room.js';
import { Rooms } from './rooms.js';
import { decodeMember, decodeUser } from './row-codec.js';
import { type PresenceRules, rulesOfRoom } from './rules.js';
import type { SavedPartition } from './saved-partition.js';
import { Users } from './users.js';

export interface PartitionOptions {
  readonly number: number;
  /** Of the cluster. */
  readonly partitions: number;
  readonly rules: PresenceRules;
  readonly saved: SavedPartition;
  /** After a loss of the registry, or of its newest part: until then what edges report again is not news. */
  readonly restoringUntilMs?: number | undefined;
  readonly nowMs: number;
}

export class Partition {
  readonly #options: PartitionOptions;
  readonly #journal = new Journal();
  readonly #deadlines = new Deadlines();
  readonly #incarnations = new Incarnations(this.#journal, this.#deadlines);
  readonly #restoration = new Restoration(this.#journal, this.#deadlines);
  readonly #users: Users;
  readonly #rooms: Rooms;
  readonly #departures: Departures;
  /** As the registry has it after the next commit. */
  readonly #meta: Map<string, string>;
  #deadlinesFromMs = 0;
  /** Questions of sessions; answered from the committed state. */
  readonly questions: Questions;

  constructor(options: PartitionOptions) {
    this.#options = options;
    const { rules, saved } = options;
    this.#meta = new Map(saved.meta);
    const versionFloor = Number(saved.meta.get('floor') ?? 0);
    this.#users = new Users(this.#journal, this.#deadlines, rules);
    this.#rooms = new Rooms({
      journal: this.#journal,
      deadlines: this.#deadlines,
      rules,
      versionFloor,
      restoration: this.#restoration,
    });
    this.questions = new Questions(this.#rooms, rules.rosterPageSize);
    this.#departures = new Departures(this.#rooms, this.#users, this.#incarnations);
    this.#restore(saved, options.nowMs);
  }

  get online(): number {
    return this.#users.online;
  }

  /** Users in all rooms, a user in two rooms being two. */
  get rosterUsers(): number {
    let users = 0;
    for (const room of this.#rooms.values()) users += room.members.size;
    return users;
  }

  /** Those that have reported here and are not gone. */
  get incarnations(): readonly string[] {
    return this.#incarnations.living();
  }

  get rooms(): Rooms {
    return this.#rooms;
  }

  get users(): Users {
    return this.#users;
  }

  /** Deadlines that wait: at most one for each member, user, counting room and gone incarnation, and the restoration's. */
  get deadlines(): number {
    return this.#deadlines.size;
  }

  /** When `tick` has something to do; 0 when it has now, `Infinity` when never. */
  get nextTickMs(): number {
    return this.#departures.pending ? 0 : this.nextDeadlineMs;
  }

  /** When the next deadline is due; `Infinity` when nothing is. */
  get nextDeadlineMs(): number {
    return Math.max(this.#deadlines.nextMs, this.#deadlinesFromMs);
  }

  /** Executes no deadline before this time: edges report first who has reconnected. */
  suspendDeadlines(untilMs: number): void {
    this.#deadlinesFromMs = untilMs;
  }

  /** Notes each row in which the registry differs from this memory, and yields after it. */
  noteDifferences(saved: SavedPartition): Iterable<void> {
    return noteDifferences(saved, { journal: this.#journal, rooms: this.#rooms, users: this.#users, meta: this.#meta });
  }

  /** Applies a report of an incarnation, as of `nowMs`. Reports of an incarnation that is gone change nothing. */
  apply(incarnation: string, report: Report, nowMs: number): void {
    if (report.kind === 'node_gone') {
      // The edge itself reports it under its next incarnation, and presence under this one. While deadlines are suspended,
      // presence has fenced every edge, and those that live report again.
      const isDead = incarnation === report.gone && nowMs >= this.#deadlinesFromMs;
      this.#nodeGone(report.gone, nowMs, isDead ? 0 : RESYNC_MS);
      return;
    }
    // Also of an incarnation that is gone: its edge may live on under another one, and waits.
    if (report.kind === 'roster') {
      this.questions.add({ ...report, node: nodeOf(incarnation), askedAtMs: nowMs });
      return;
    }
    if (this.#incarnations.isGone(incarnation)) return;
    switch (report.kind) {
      case 'join':
        this.#rooms.join(report, this.#incarnations.indexOf(incarnation), incarnation, nowMs);
        return;
      case 'leave':
      case 'drop':
        this.#rooms.leave(report, nowMs);
        return;
      case 'status':
        this.#rooms.setStatus(report);
        return;
      case 'connect':
      case 'disconnect':
      case 'enter':
      case 'exit':
        this.#users.apply(report, this.#incarnations.indexOf(incarnation), nodeOf(incarnation), nowMs);
        return;
    }
  }

  /** Applies deadlines that are due at `nowMs`, at most about `limit` changes: the rest stays due. */
  tick(nowMs: number, limit: number): void {
    this.#departures.step(limit, nowMs);
    if (nowMs < this.#deadlinesFromMs) return;
    for (let left = limit; left > 0; left--) {
      const due = this.#deadlines.takeDue(nowMs);
      if (due === undefined) return;
      if (due.kind === 'member') this.#rooms.expire(due.room, due.user, nowMs);
      else if (due.kind === 'user') this.#users.expire(due.user, nowMs);
      else if (due.kind === 'count') this.#rooms.count(due.room, nowMs);
      else if (due.kind === 'incarnation') this.#incarnations.forget(due.incarnation);
      else this.#restoration.end();
    }
  }

  /** Until then, members that edges report again get the roster: messages of presence may have been lost with Redis. */
  answerReportsUntil(endMs: number): void {
    this.#restoration.answerUntil(endMs);
  }

  /** All that has to be done since the last call; `undefined` when nothing. */
  takeEffects(): Effects | undefined {
    if (this.#journal.isEmpty()) return undefined;
    const { partitions, rules } = this.#options;
    const effects = effectsOf(this.#journal, this.#rooms, this.#users, partitions, rules.rosterPageSize);
    for (const [field, value] of this.#journal.meta) {
      if (value === undefined) this.#meta.delete(field);
      else this.#meta.set(field, value);
    }
    this.#journal.clear();
    return effects;
  }

  #nodeGone(incarnation: string, nowMs: number, minGraceMs: number): void {
    if (this.#incarnations.isGone(incarnation)) return;
    this.#incarnations.declareGone(incarnation, nowMs);
    const index = this.#incarnations.find(incarnation);
    if (index !== undefined) this.#departures.begin(index, minGraceMs);
  }

  #restore(saved: SavedPartition, nowMs: number): void {
    this.#restoration.restore(saved.meta);
    this.#incarnations.restore(saved.meta, this.#restoration.lastOld);
    const { restoringUntilMs } = this.#options;
    const isOld = restoringUntilMs !== undefined && saved.rooms.size > 0;
    if (restoringUntilMs !== undefined) {
      this.#restoration.begin(restoringUntilMs, isOld ? this.#incarnations.lastIndex : undefined);
    }
    for (const [name, entry] of saved.rooms) {
      const stored = Number.parseInt(entry, 10);
      // Members may have seen a later version than that of an old row.
      const version = isOld ? Math.max(stored, nowMs) : stored;
      const room = new Room(name, rulesOfRoom(this.#options.rules, name), version, true);
      if (isOld) this.#journal.roomChanged(name);
      for (const [id, row] of saved.members.get(name) ?? []) {
        const member = decodeMember(id, row);
        if (member !== undefined) room.restore(member);
        else this.#journal.roomChanged(name, id); // Not ours: removed.
      }
      if (room.members.size > 0) this.#rooms.restore(room, nowMs);
      else this.#journal.roomChanged(name);
    }
    this.#rooms.restored();
    for (const [id, row] of saved.users) {
      const user = decodeUser(id, row);
      if (user !== undefined) this.#users.restore(user);
      else this.#journal.users.add(id);
    }
    for (const index of this.#incarnations.goneIndexes()) this.#departures.begin(index, RESYNC_MS);
  }
}
