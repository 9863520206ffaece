/** The reports of one partition that its log has not taken: in order, and no more than they need to be. */
import type { Report } from '@hubbub/protocol';

export interface QueuedReport {
  readonly report: Report;
  /** Presence has not heard of this session (in this room) before: an end that also waits cancels it out. */
  readonly isNew: boolean;
}

/** Below this many reports, compaction would cost more than it saves. */
const COMPACT_MIN = 4096;

/**
 * Holds reports until the log takes them. A long queue is compacted: at most three reports stay for each membership that
 * exists or that presence knows. So the size follows the sessions of the edge, and not the time for which the log is full.
 */
export class ReportQueue {
  #waiting: QueuedReport[] = [];
  #compactAbove = COMPACT_MIN;
  #sinceMs = 0;

  get size(): number {
    return this.#waiting.length;
  }

  /** When the oldest report came, at the latest; of a clock that never goes back. Meaningless while it is empty. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  add(queued: QueuedReport, nowMs: number): void {
    if (this.#waiting.length === 0) this.#sinceMs = nowMs;
    this.#waiting.push(queued);
    if (this.#waiting.length <= this.#compactAbove) return;
    this.#waiting = compactReports(this.#waiting);
    this.#compactAbove = Math.max(COMPACT_MIN, 2 * this.#waiting.length);
  }

  /** Takes the first reports out. */
  take(count: number): QueuedReport[] {
    const taken = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(taken.length);
    return taken;
  }

  /** The log did not take these, the last ones that were taken: they come first again. */
  putBack(taken: readonly QueuedReport[], sinceMs: number): void {
    this.#waiting = [...taken, ...this.#waiting];
    this.#sinceMs = sinceMs;
  }

  /** Removes all questions and returns them: their clients do not wait until a full log has space. */
  takeQuestions(): Extract<Report, { kind: 'roster' }>[] {
    const questions: Extract<Report, { kind: 'roster' }>[] = [];
    this.#waiting = this.#waiting.filter(({ report }) => {
      if (report.kind !== 'roster') return true;
      questions.push(report);
      return false;
    });
    return questions;
  }
}

/**
 * Leaves out what later reports make superfluous. The others keep their order, so that presence ends in the same state:
 * - A join and the end of the same membership cancel out if the join is new, else the end is enough.
 * - Of several joins or statuses of one membership, the last one is enough.
 * - A session that disconnects needs none of its rooms in the partition of its user.
 */
export function compactReports(reports: readonly QueuedReport[]): QueuedReport[] {
  const kept: (QueuedReport | undefined)[] = [...reports];
  /** For each membership or session, the index of the report that follows. */
  const following = new Map<string, number>();
  for (let at = kept.length - 1; at >= 0; at--) {
    const { report, isNew } = kept[at] as QueuedReport;
    const key = keyOf(report);
    if (key === undefined) continue;
    if (isOfEntry(report) && kept[following.get(sessionKey(report.session)) ?? -1]?.report.kind === 'disconnect') {
      kept[at] = undefined;
      continue;
    }
    const next = following.get(key);
    const later = next === undefined ? undefined : kept[next];
    if (next === undefined || later === undefined) {
      following.set(key, at);
    } else if (isBeginning(report) && later.report.kind !== 'status') {
      // The end, or a newer beginning, takes its place.
      kept[at] = undefined;
      if (isNew && isEnd(later.report)) {
        kept[next] = undefined;
        following.delete(key);
      } else if (isNew) kept[next] = { ...later, isNew: true };
    } else if (report.kind === 'status' || isEnd(later.report)) {
      kept[at] = undefined;
    } else following.set(key, at); // An end before a beginning, or a beginning before its status: both are needed.
  }
  return kept.filter(queued => queued !== undefined);
}

function isBeginning({ kind }: Report): boolean {
  return kind === 'join' || kind === 'enter' || kind === 'connect';
}

function isEnd({ kind }: Report): boolean {
  return kind === 'leave' || kind === 'drop' || kind === 'exit' || kind === 'disconnect';
}

function isOfEntry(report: Report): report is Extract<Report, { kind: 'enter' | 'exit' }> {
  return report.kind === 'enter' || report.kind === 'exit';
}

function sessionKey(session: string): string {
  return `session ${session}`;
}

/** Neither a session's id nor a room's name has a space in it. `undefined`: the report stands for itself. */
function keyOf(report: Report): string | undefined {
  switch (report.kind) {
    case 'join':
    case 'leave':
    case 'drop':
    case 'status':
      return `member ${report.session} ${report.room}`;
    case 'enter':
    case 'exit':
      return `entry ${report.session} ${report.room}`;
    case 'connect':
    case 'disconnect':
      return sessionKey(report.session);
    case 'roster':
    case 'node_gone':
      return undefined;
  }
}
