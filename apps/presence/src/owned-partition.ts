/** A partition that this instance holds: it applies reports, and commits them before it notifies members. */
import { earlierPosition, type LogEntry, type LogPosition, type ReportLog } from '@hubbub/broker';
import { type Channels, decodeReports } from '@hubbub/protocol';
import type { PresenceMetrics } from './metrics.js';
import { roomHash, userHash } from './partition/journal-effects.js';
import { Partition } from './partition/partition.js';
import type { PresenceRules } from './partition/rules.js';
import { EMPTY_PARTITION, type SavedPartition } from './partition/saved-partition.js';
import { USER_BUCKETS } from './partition/users.js';
import { type Claim, type Commit, HASH_RENEWAL_MS, type PartitionStore } from './partition-store.js';
import { publicationsOf, refusalsOf } from './publication.js';
import type { WireState } from './wire-state.js';

/** Changes in one commit: a script of a few thousand writes holds Redis for a few milliseconds. */
const COMMIT_REPORTS = 1000;
/** Commits without new reports before other partitions get their turn. */
const TICK_ROUNDS = 4;
/** Users in the answers of one commit: at most about 1 MB, where each has the longest id, name and status. */
const ANSWER_USERS = 2000;
/** Meta lives 120 s; renewed three times within. */
export const META_RENEWAL_MS = 40_000;
/** After a loss edges report for this long what members know already: each resyncs at its next renewal. */
export const RESTORING_MS = 30_000;

export interface OwnedPartitionDeps {
  readonly partitions: number;
  readonly store: PartitionStore;
  readonly channels: Channels;
  readonly rules: PresenceRules;
  readonly metrics: PresenceMetrics;
  readonly wire: Pick<WireState, 'written' | 'noteMissedReports'>;
}

/** A claim of data that is lost, or may be older than what members know. */
export interface Outdated {
  /** The partition as this instance held it until now: newer than the registry. */
  readonly former: OwnedPartition | undefined;
  /** Where the log ended before edges began to report everything again. */
  readonly logEnd: LogPosition;
  /** Deadlines wait until then, so that edges can report who has reconnected. */
  readonly deadlinesFromMs: number;
}

type Changes = Pick<Commit, 'hashes' | 'lifecycle' | 'publications'>;

/** The claim is not valid any more: forget the partition and claim it again, if it is still ours to have. */
export class StaleClaim extends Error {
  override readonly name = 'StaleClaim';
}

export class OwnedPartition {
  readonly claim: Claim;
  readonly #deps: OwnedPartitionDeps;
  readonly #partition: Partition;
  #sequence: number;
  #position: LogPosition;
  #trimmed: LogPosition;
  /** Applied in memory; the store has refused them, or not answered. */
  #unwritten: Changes | undefined;
  #nextMetaRenewalMs = 0;
  #nextHashRenewalMs = 0;

  private constructor(claim: Claim, deps: OwnedPartitionDeps, partition: Partition, position: LogPosition) {
    this.claim = claim;
    this.#deps = deps;
    this.#partition = partition;
    this.#sequence = claim.sequence;
    this.#position = position;
    this.#trimmed = claim.position;
  }

  /**
   * Loads what the registry has. Where that is outdated, the memory of the former claim replaces it; without one, its rows
   * are hints until edges have reported. The first commit makes the partition known.
   */
  static async open(
    claim: Claim,
    deps: OwnedPartitionDeps,
    nowMs: number,
    outdated?: Outdated,
  ): Promise<OwnedPartition> {
    const { partitions, rules } = deps;
    const saved = claim.lost ? EMPTY_PARTITION : await deps.store.load(claim);
    const restoringUntilMs = outdated && nowMs + RESTORING_MS;
    const partition =
      outdated?.former?.partition ??
      new Partition({ number: claim.partition, partitions, rules, saved, restoringUntilMs, nowMs });
    const owned = new OwnedPartition(claim, deps, partition, startOf(claim, outdated));
    if (outdated !== undefined) {
      if (saved !== EMPTY_PARTITION || outdated.former !== undefined)
        partition.suspendDeadlines(outdated.deadlinesFromMs);
      if (outdated.former !== undefined) {
        partition.answerReportsUntil(nowMs + RESTORING_MS);
        await owned.#replaceRows(saved, outdated.former, nowMs);
      }
      await owned.#commit(nowMs, true);
    }
    if (!(await owned.renew(nowMs))) throw new StaleClaim(`Partition ${claim.partition} has another owner.`);
    return owned;
  }

  /** Commits so far, as in the registry. */
  get sequence(): number {
    return this.#sequence;
  }

  get position(): LogPosition {
    return this.#position;
  }

  get partition(): Partition {
    return this.#partition;
  }

  /** When `step` has something to do without new entries. */
  get nextTickMs(): number {
    return this.#partition.nextTickMs;
  }

  /**
   * Applies entries as of the time they were appended: events that waited in the log are judged by their own time. Time
   * advances to `nowMs` only when the log is drained.
   * @throws {StaleClaim} and the partition must not be used any more; so after any other error.
   */
  async step(entries: readonly LogEntry[], drained: boolean, nowMs: number): Promise<void> {
    let sinceCommit = 0;
    for (const entry of entries) {
      await this.#runDeadlines(entry.appendedAtMs, nowMs);
      sinceCommit += this.#apply(entry);
      this.#position = entry.position;
      if (sinceCommit < COMMIT_REPORTS) continue;
      await this.#commit(nowMs, true);
      sinceCommit = 0;
    }
    for (const room of this.#deps.store.takeMissed(this.claim)) this.#partition.rooms.repeat(room);
    if (drained) this.#partition.tick(nowMs, COMMIT_REPORTS);
    await this.#commit(nowMs, entries.length > 0);
    for (let round = 0; drained && round < TICK_ROUNDS && this.nextTickMs <= nowMs; round++) {
      this.#partition.tick(nowMs, COMMIT_REPORTS);
      await this.#commit(nowMs, false);
    }
    await this.#answerQuestions(nowMs);
  }

  /**
   * Renews what is due: the partition often, its other keys all together at the pace of their lifetime.
   * @returns false when the partition has another owner, or Redis lost it
   */
  async renew(nowMs: number): Promise<boolean> {
    if (nowMs < Math.min(this.#nextMetaRenewalMs, this.#nextHashRenewalMs)) return true;
    const keys: string[] = [];
    if (nowMs >= this.#nextHashRenewalMs) {
      // Services that were away for long find what they missed in the stream.
      keys.push('rooms', 'lifecycle', ...Array.from({ length: USER_BUCKETS }, (_, bucket) => userHash(bucket)));
      for (const room of this.#partition.rooms.values()) keys.push(roomHash(room.name));
      // Partitions are claimed together; their renewals need not stay together.
      const spread = this.#nextHashRenewalMs === 0 ? (this.claim.partition + 1) / this.#deps.partitions : 1;
      this.#nextHashRenewalMs = nowMs + HASH_RENEWAL_MS * spread;
    }
    if (!(await this.#deps.store.renew(this.claim, keys))) return false;
    this.#nextMetaRenewalMs = nowMs + META_RENEWAL_MS;
    return true;
  }

  /** Takes out of the log what is applied. */
  async trim(log: ReportLog): Promise<void> {
    const position = this.#position;
    if (this.#trimmed === position) return;
    await log.trim(this.claim.partition, position);
    this.#trimmed = position;
  }

  /** Writes what differs in memory, in slices; then what the former claim could not write. */
  async #replaceRows(saved: SavedPartition, former: OwnedPartition, nowMs: number): Promise<void> {
    let noted = 0;
    for (const _ of this.#partition.noteDifferences(saved)) {
      if (++noted % COMMIT_REPORTS === 0) await this.#commit(nowMs, true);
    }
    await this.#commit(nowMs, true);
    if (former.#unwritten === undefined) return;
    // Its rows are written.
    await this.#write({ ...former.#unwritten, hashes: [] });
    former.#unwritten = undefined;
  }

  /** Everything that was due at `atMs`, in as many commits as needed, before later reports are applied. */
  async #runDeadlines(atMs: number, nowMs: number): Promise<void> {
    this.#partition.tick(atMs, COMMIT_REPORTS);
    while (this.#partition.nextDeadlineMs <= atMs) {
      await this.#commit(nowMs, false);
      this.#partition.tick(atMs, COMMIT_REPORTS);
    }
  }

  #apply(entry: LogEntry): number {
    const { batch, malformed, unsupportedFrom } = decodeReports(entry.text);
    if (malformed > 0) this.#deps.metrics.malformed(malformed);
    if (unsupportedFrom !== undefined) {
      this.#deps.metrics.unsupported();
      this.#deps.wire.noteMissedReports(unsupportedFrom);
    }
    if (batch === undefined) return 0;
    for (const report of batch.reports) this.#partition.apply(batch.incarnation, report, entry.appendedAtMs);
    this.#deps.metrics.applied(batch.reports.length);
    return batch.reports.length;
  }

  async #commit(nowMs: number, positionMoved: boolean): Promise<void> {
    const effects = this.#partition.takeEffects();
    if (effects === undefined && !positionMoved) return;
    const { channels, rules, metrics, wire } = this.#deps;
    const stamp = { publishedAtMs: nowMs, version: wire.written };
    const { hashes = [], lifecycle = [], announcements = [], refused = [], keptMembersRemoved = 0 } = effects ?? {};
    const publications = [
      ...publicationsOf(announcements, channels, stamp),
      ...refusalsOf(refused, channels, stamp, rules.maxSessionsPerUser),
    ];
    await this.#write({ hashes, lifecycle, publications });
    if (refused.length > 0) metrics.sessionsRefused(refused.length);
    if (keptMembersRemoved > 0) metrics.keptMembersRemoved(keptMembersRemoved);
  }

  /** In commits of their own: a question changes nothing, and where its answer is lost its edge refuses it. */
  async #answerQuestions(nowMs: number): Promise<void> {
    const { channels, wire } = this.#deps;
    while (this.#partition.questions.pending) {
      const answers = this.#partition.questions.answer(nowMs, ANSWER_USERS);
      const publications = publicationsOf(answers, channels, { publishedAtMs: nowMs, version: wire.written });
      if (publications.length > 0) await this.#write({ hashes: [], lifecycle: [], publications });
    }
  }

  async #write(changes: Changes): Promise<void> {
    const commit = { ...changes, sequence: this.#sequence, position: this.#position };
    this.#unwritten = changes;
    if (!(await this.#deps.store.commit(this.claim, commit))) {
      throw new StaleClaim(`Partition ${this.claim.partition} has another owner.`);
    }
    this.#unwritten = undefined;
    this.#sequence++;
    this.#deps.metrics.committed();
  }
}

/**
 * The position after which reading continues. The memory has applied everything up to its position, but the log may have
 * lost its end. Old rows do not show which later entries were applied: these are skipped, and edges report everything again.
 */
function startOf({ position, lost }: Claim, outdated: Outdated | undefined): LogPosition {
  if (outdated === undefined) return position;
  const { former, logEnd } = outdated;
  if (former !== undefined) return earlierPosition(former.position, logEnd);
  return lost ? position : logEnd;
}
