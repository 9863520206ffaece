/** The report queues of all partitions: those that may be appended now, and those that wait because their log is full. */
import type { AppendResult } from '@hubbub/broker';
import type { Report } from '@hubbub/protocol';
import { type QueuedReport, ReportQueue } from './report-queue.js';

/** The backlog between an edge and presence. */
export interface ReportBacklog {
  /** Milliseconds since the oldest report that the log has not taken; 0: none waits. */
  readonly unappendedMs: number;
  /** The fullest log that this edge has appended to lately; 1 is full. */
  readonly fill: number;
  /** Milliseconds by which presence is behind in a log that it reads; 0 while it reads none. */
  readonly lagMs: number;
}

/** The pause before a full log is tried again, at first and at most. Edges that wait together must not come together. */
const FULL_PAUSE_MIN_MS = 100;
const FULL_PAUSE_MAX_MS = 1000;
/** The finding of an append counts for this time. */
const FINDING_MS = 5000;
/** Answers of the log take different times: a difference below this is not progress. */
const PROGRESS_MIN_MS = 50;

interface Partition {
  readonly queue: ReportQueue;
  inFlight: readonly QueuedReport[];
  inFlightSinceMs: number;
  /** 0: the log was not full when it was tried last. */
  pauseMs: number;
  pausedUntilMs: number;
  foundAtMs: number;
  fill: number;
  /** When the log took its oldest entry, on the clock of this process. */
  oldestAtMs: number;
  /** When presence was last seen to have removed entries. */
  progressAtMs: number;
}

export class PartitionQueues {
  readonly #partitions: readonly Partition[];

  constructor(partitions: number) {
    this.#partitions = Array.from({ length: partitions }, () => ({
      queue: new ReportQueue(),
      inFlight: [],
      inFlightSinceMs: 0,
      pauseMs: 0,
      pausedUntilMs: 0,
      foundAtMs: Number.NEGATIVE_INFINITY,
      fill: 0,
      oldestAtMs: Number.POSITIVE_INFINITY,
      progressAtMs: Number.NEGATIVE_INFINITY,
    }));
  }

  /** Reports that the log has not taken. */
  get size(): number {
    return this.#partitions.reduce((sum, { queue, inFlight }) => sum + queue.size + inFlight.length, 0);
  }

  /** Partitions with a full log. */
  get full(): number {
    return this.#partitions.reduce((sum, { pauseMs }) => sum + (pauseMs > 0 ? 1 : 0), 0);
  }

  /** False: a question to a partition with a full log, which is not taken. */
  add(partition: number, queued: QueuedReport, nowMs: number): boolean {
    const of = this.#of(partition);
    if (queued.report.kind === 'roster' && of.pausedUntilMs > nowMs) return false;
    of.queue.add(queued, nowMs);
    return true;
  }

  /**
   * Takes out what may be appended now, by partition and in order; `settle` or `clear` follows.
   * @param atOnce reports of one partition; of one whose log was full, `atTrial`
   */
  take(nowMs: number, atOnce: number, atTrial: number): Map<number, readonly QueuedReport[]> {
    const taken = new Map<number, readonly QueuedReport[]>();
    for (const [number, of] of this.#partitions.entries()) {
      if (of.queue.size === 0 || of.pausedUntilMs > nowMs) continue;
      of.inFlightSinceMs = of.queue.sinceMs;
      of.inFlight = of.queue.take(of.pauseMs > 0 ? atTrial : atOnce);
      taken.set(number, of.inFlight);
    }
    return taken;
  }

  /** The log has answered. Returns the questions that it did not take: they are given up. */
  settle(results: readonly AppendResult[], nowMs: number): Report[] {
    const questions: Report[] = [];
    for (const { partition, taken, fill, oldestAgeMs } of results) {
      const of = this.#of(partition);
      const oldestAtMs = nowMs - oldestAgeMs;
      if (oldestAtMs > of.oldestAtMs + PROGRESS_MIN_MS) of.progressAtMs = nowMs;
      of.oldestAtMs = oldestAtMs;
      of.foundAtMs = nowMs;
      of.fill = fill;
      if (taken) {
        of.pauseMs = 0;
      } else {
        of.queue.putBack(of.inFlight, of.inFlightSinceMs);
        questions.push(...of.queue.takeQuestions());
        of.pauseMs = Math.min(FULL_PAUSE_MAX_MS, Math.max(FULL_PAUSE_MIN_MS, 2 * of.pauseMs));
        of.pausedUntilMs = nowMs + of.pauseMs * (0.5 + Math.random() / 2);
      }
      of.inFlight = [];
    }
    return questions;
  }

  /** Takes out all questions, also of those in flight: the log does not answer, and their clients do not wait for that long. */
  takeQuestions(): Report[] {
    return this.#partitions.flatMap(of => {
      const inFlight = of.inFlight.filter(({ report }) => report.kind === 'roster');
      if (inFlight.length > 0) of.inFlight = of.inFlight.filter(({ report }) => report.kind !== 'roster');
      return [...of.queue.takeQuestions(), ...inFlight.map(({ report }) => report)];
    });
  }

  /** Milliseconds until there is something to take; 0: now, `undefined`: nothing waits. */
  delayMs(nowMs: number): number | undefined {
    let first: number | undefined;
    for (const { queue, pausedUntilMs } of this.#partitions) {
      if (queue.size > 0) first = Math.min(first ?? Number.POSITIVE_INFINITY, Math.max(0, pausedUntilMs - nowMs));
    }
    return first;
  }

  /** Forgets every report, also those in flight, and returns them. */
  clear(): Report[] {
    const reports: Report[] = [];
    for (const of of this.#partitions) {
      for (const { report } of [...of.inFlight, ...of.queue.take(of.queue.size)]) reports.push(report);
      of.inFlight = [];
      of.pauseMs = 0;
      of.pausedUntilMs = 0;
    }
    return reports;
  }

  backlog(nowMs: number): ReportBacklog {
    let [unappendedMs, fill, lagMs] = [0, 0, 0];
    for (const of of this.#partitions) {
      if (of.queue.size > 0) unappendedMs = Math.max(unappendedMs, nowMs - of.queue.sinceMs);
      if (of.inFlight.length > 0) unappendedMs = Math.max(unappendedMs, nowMs - of.inFlightSinceMs);
      if (nowMs - of.foundAtMs > FINDING_MS) continue;
      fill = Math.max(fill, of.fill);
      // A presence that removes nothing is away, and not slow: then only the space that is left counts.
      // Its age when it was found: presence may have removed that entry since.
      if (nowMs - of.progressAtMs <= FINDING_MS) lagMs = Math.max(lagMs, of.foundAtMs - of.oldestAtMs);
    }
    return { unappendedMs, fill, lagMs };
  }

  #of(partition: number): Partition {
    const of = this.#partitions[partition];
    if (of === undefined) throw new Error(`There is no partition ${partition}.`);
    return of;
  }
}
