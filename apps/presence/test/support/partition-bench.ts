/** A partition on the bench: a manual clock, a registry of maps, and the announcements to members. */
import type { LifecycleEvent, Report } from '@hubbub/protocol';
import type { Announcement, Effects, RefusedSession } from '../../src/partition/effects.js';
import { Partition } from '../../src/partition/partition.js';
import {
  DEFAULT_NAMESPACE_RULES,
  DEFAULT_RULES,
  type NamespaceRules,
  type PresenceRules,
} from '../../src/partition/rules.js';
import type { SavedPartition } from '../../src/partition/saved-partition.js';

export const GRACE_MS = DEFAULT_NAMESPACE_RULES.leaveGraceMs;
const START_MS = 1_700_000_000_000;
const NO_LIMIT = 1_000_000;

export interface BenchOptions {
  readonly namespace?: Partial<NamespaceRules>;
  readonly rules?: Partial<PresenceRules>;
  readonly restoringMs?: number;
}

export class PartitionBench {
  nowMs = START_MS;
  readonly announcements: Announcement[] = [];
  readonly refused: RefusedSession[] = [];
  readonly lifecycle: LifecycleEvent[] = [];
  keptMembersRemoved = 0;
  readonly hashes = new Map<string, Map<string, string>>();
  #partition: Partition;
  readonly #rules: PresenceRules;

  constructor({ namespace, rules, restoringMs = 0 }: BenchOptions = {}) {
    this.#rules = { ...DEFAULT_RULES, namespace: () => ({ ...DEFAULT_NAMESPACE_RULES, ...namespace }), ...rules };
    this.#partition = this.#load(restoringMs > 0 ? this.nowMs + restoringMs : undefined);
  }

  get partition(): Partition {
    return this.#partition;
  }

  /** Applies reports of an edge as one batch, and commits. */
  report(incarnation: string, ...reports: Report[]): void {
    for (const report of reports) {
      this.#partition.tick(this.nowMs, NO_LIMIT);
      this.#partition.apply(incarnation, report, this.nowMs);
    }
    this.commit();
  }

  join(incarnation: string, session: string, user = session, room = 'general', more: { resync?: boolean } = {}): void {
    this.report(incarnation, { kind: 'join', room, session, user, name: user.toUpperCase(), ...more });
  }

  drop(incarnation: string, session: string, user = session, room = 'general'): void {
    this.report(incarnation, { kind: 'drop', room, session, user });
  }

  leave(incarnation: string, session: string, user = session, room = 'general'): void {
    this.report(incarnation, { kind: 'leave', room, session, user });
  }

  /** Advances time, deadline by deadline. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    while (this.#partition.nextTickMs <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.#partition.nextTickMs);
      this.#partition.tick(this.nowMs, NO_LIMIT);
      this.commit();
    }
    this.nowMs = untilMs;
  }

  /** Another owner takes over with the contents of the registry. With `restoringMs` they may be old. */
  takeOver({ restoringMs = 0 } = {}): void {
    this.#partition = this.#load(restoringMs > 0 ? this.nowMs + restoringMs : undefined);
    this.#partition.tick(this.nowMs, NO_LIMIT);
    this.commit();
  }

  /** The registry goes back to these contents, and the partition survives in memory. */
  goBack(hashes: ReadonlyMap<string, ReadonlyMap<string, string>>): void {
    this.hashes.clear();
    for (const [name, hash] of hashes) this.hashes.set(name, new Map(hash));
    for (const _ of this.#partition.noteDifferences(this.#saved())) this.commit();
  }

  commit(): void {
    const effects = this.#partition.takeEffects();
    if (effects !== undefined) this.#carryOut(effects);
    while (this.#partition.questions.pending) {
      this.announcements.push(...this.#partition.questions.answer(this.nowMs, NO_LIMIT));
    }
  }

  /** Takes the announcements since the last call, in short form: `user_joined alice 1`, `room_info → edge-1 [s1] 2`. */
  heard(): string[] {
    return this.announcements.splice(0).map(announcement => {
      const { type, payload } = announcement;
      const user = (payload.user as { id: string } | undefined)?.id;
      const to = announcement.to === 'sessions' ? `→ ${announcement.node} [${announcement.sessions.join(' ')}]` : '';
      return [type, to, user, payload.count].filter(part => part !== undefined && part !== '').join(' ');
    });
  }

  roster(room = 'general'): string[] {
    return [...(this.#partition.rooms.get(room)?.members.keys() ?? [])].sort();
  }

  #load(restoringUntilMs?: number): Partition {
    return new Partition({
      number: 0,
      partitions: 1,
      rules: this.#rules,
      saved: this.#saved(),
      restoringUntilMs,
      nowMs: this.nowMs,
    });
  }

  #saved(): SavedPartition {
    const members = new Map<string, ReadonlyMap<string, string>>();
    const users = new Map<string, string>();
    for (const [name, hash] of this.hashes) {
      if (name.startsWith('room:')) members.set(name.slice('room:'.length), new Map(hash));
      if (name.startsWith('users:')) for (const [user, row] of hash) users.set(user, row);
    }
    return { meta: this.#hash('meta'), rooms: this.#hash('rooms'), members, users };
  }

  #hash(name: string): Map<string, string> {
    return new Map(this.hashes.get(name));
  }

  #carryOut(effects: Effects): void {
    for (const { name, clear, set, remove } of effects.hashes) {
      const hash = clear ? new Map<string, string>() : this.#hash(name);
      for (const field of remove) hash.delete(field);
      for (const [field, value] of set) hash.set(field, value);
      if (hash.size > 0) this.hashes.set(name, hash);
      else this.hashes.delete(name);
    }
    this.announcements.push(...effects.announcements);
    this.refused.push(...effects.refused);
    this.keptMembersRemoved += effects.keptMembersRemoved;
    this.lifecycle.push(...effects.lifecycle);
  }
}
