/** Brings an edge's reports to presence, under an incarnation that holds a lease; starts over when that is in doubt. */
import { randomBytes } from 'node:crypto';
import type { AppendResult, LogAppend, NodeLeases, ReportLog } from '@hubbub/broker';
import { advertiseVersion, encodeReports, type Report } from '@hubbub/protocol';
import type { Logger } from '@hubbub/runtime';
import { HeldLease, RETRY_MAX_MS } from './held-lease.js';
import { PartitionQueues, type ReportBacklog } from './partition-queues.js';
import { ReportAppender } from './report-appender.js';

/** A report, and the partition it is for. */
export interface AddressedReport {
  readonly partition: number;
  readonly report: Report;
}

export interface ReportCourierOptions {
  readonly log: ReportLog;
  readonly leases: NodeLeases;
  readonly nodeId: string;
  /** The highest wire version that this edge advertises. */
  readonly wireVersionMax: number;
  readonly partitions: number;
  readonly logger: Logger;
  /** Whether this edge receives what presence sends. */
  isSubscribed(): boolean;
  /** The whole state of the edge, for a resync of presence. */
  everything(): Iterable<AddressedReport>;
  /** These may not have arrived. Unless they are questions, `everything` will be asked for soon. */
  lost(reports: readonly Report[]): void;
}

/** Reports of this period travel together: at most 200 appends a second, and a join waits no longer than that. */
const GATHER_MS = 5;
/** An entry is applied as a whole: this bounds what presence takes in one bite. */
const ENTRY_REPORTS = 256;
const ENTRIES_IN_FLIGHT = 64;
const RETRY_MIN_MS = 100;
/** The edge then reports its state without a subscription: the grace of a resync must not end before (departures.ts). */
export const SUBSCRIPTION_WAIT_MS = 400;
const HEARS_CHECK_MS = 20;

/**
 * `reporting`: reports are accepted and sent. `away`: they are dropped, and the current state will be reported under a new
 * incarnation as soon as the log accepts it. `closed`: final.
 */
type CourierState = 'reporting' | 'away' | 'closed';

export class ReportCourier {
  readonly #options: ReportCourierOptions;
  readonly #lease: HeldLease;
  #state: CourierState = 'away';
  #incarnation = '';
  /** Incarnations that may have reported and whose end presence does not know yet. */
  readonly #former = new Set<string>();
  readonly #queues: PartitionQueues;
  readonly #appender: ReportAppender;
  /** While away: since when there has been anything to report. */
  #owingSinceMs: number | undefined;
  #flushTimer: NodeJS.Timeout | undefined;
  #fullTimer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #returning: Promise<void> | undefined;
  #cancelPause: () => void = () => {};

  constructor(options: ReportCourierOptions) {
    this.#options = options;
    this.#queues = new PartitionQueues(options.partitions);
    this.#lease = new HeldLease({
      leases: options.leases,
      onFenced: () => this.#goAway('this edge was declared dead'),
    });
    this.#appender = new ReportAppender({
      log: options.log,
      lease: this.#lease,
      logger: options.logger,
      onUnanswered: () => options.lost(this.#queues.takeQuestions()),
      pause: ms => this.#pause(ms),
    });
  }

  /** Whether reports arrive, as far as is known: the lease and the log are on one Redis. */
  get isReporting(): boolean {
    return this.#state === 'reporting' && this.#lease.isFresh;
  }

  get incarnation(): string {
    return this.#incarnation;
  }

  /** The version in which this edge writes. */
  get wireVersion(): number {
    return this.#lease.wireVersion;
  }

  /** Renewals of the lease by a thread, because the event loop was late. */
  get lateRenewals(): number {
    return this.#lease.lateRenewals;
  }

  start(): void {
    this.#lease.start();
    this.#returning = this.#return();
  }

  /** Reports that the log has not taken. */
  get waiting(): number {
    return this.#queues.size;
  }

  /** While this edge is away, its whole state waits. */
  get backlog(): ReportBacklog {
    const nowMs = performance.now();
    const backlog = this.#queues.backlog(nowMs);
    return this.#state === 'away' ? { ...backlog, unappendedMs: nowMs - (this.#owingSinceMs ?? nowMs) } : backlog;
  }

  /**
   * Takes a report; false: dropped, and `everything` will be reported later.
   * @param isNew presence has not heard of this session (in this room)
   */
  add(partition: number, report: Report, isNew = false): boolean {
    if (this.#state !== 'reporting') {
      this.#owingSinceMs ??= performance.now();
      return false;
    }
    if (!this.#queues.add(partition, { report, isNew }, performance.now())) return false;
    this.#flushTimer ??= setTimeout(() => this.#flush(), GATHER_MS);
    return true;
  }

  /** Brings what waits, declares the incarnation gone and gives up its lease. Never rejects: a lease also runs out. */
  async close(): Promise<void> {
    const wasReporting = this.#state === 'reporting';
    const waiting = this.#flushing;
    this.#state = 'closed';
    clearTimeout(this.#flushTimer);
    clearTimeout(this.#fullTimer);
    this.#cancelPause();
    await this.#returning;
    await waiting;
    await this.#lease.close();
    if (this.#incarnation !== '') this.#former.add(this.#incarnation);
    try {
      let isFull = !wasReporting;
      while (!isFull) {
        const entries = this.#takeEntries(Number.POSITIVE_INFINITY);
        if (entries.length === 0) break;
        const results = await this.#options.log.append(entries);
        isFull = results.some(({ taken }) => !taken);
      }
      await this.#reportFormer();
    } catch (error) {
      this.#options.logger.warn(
        { event: 'presence_goodbye_failed', err: error },
        'presence was not notified; it will reap this edge',
      );
    }
  }

  #flush(): void {
    this.#flushTimer = undefined;
    if (this.#flushing !== undefined) return;
    this.#flushing = this.#flushAll().finally(() => {
      this.#flushing = undefined;
      const delayMs = this.#state === 'reporting' ? this.#queues.delayMs(performance.now()) : undefined;
      if (delayMs === 0) this.#flush();
      else if (delayMs !== undefined) this.#flushIn(delayMs);
    });
  }

  #flushIn(delayMs: number): void {
    clearTimeout(this.#fullTimer);
    this.#fullTimer = setTimeout(() => this.#flush(), delayMs);
  }

  async #flushAll(): Promise<void> {
    while (this.#state === 'reporting' && this.#queues.delayMs(performance.now()) === 0) {
      // A process that was paused must not report under a lease that ran out meanwhile.
      if (!this.#lease.isFresh && !(await this.#lease.renew())) {
        await this.#pause(RETRY_MAX_MS);
        continue;
      }
      this.#lease.renewForReports();
      const incarnation = this.#incarnation;
      // Everything may be reported again meanwhile, under another incarnation.
      const isCurrent = (): boolean => this.#state === 'reporting' && incarnation === this.#incarnation;
      const appended = await this.#appender.append(this.#takeEntries(performance.now()), incarnation, isCurrent);
      if (appended === undefined || incarnation !== this.#incarnation) continue;
      const isUnknown = appended.isRepeated && appended.results.some(({ taken }) => !taken);
      // A log that became full may take the first attempt when it has space again.
      if (isUnknown) this.#goAway('it is not known whether a report arrived');
      else this.#settle(appended.results);
    }
  }

  /** Reports of a full log wait for it: it would not take the whole state either. */
  #settle(results: readonly AppendResult[]): void {
    const fullBefore = this.#queues.full;
    const questions = this.#queues.settle(results, performance.now());
    const { full, size } = this.#queues;
    if (questions.length > 0) this.#options.lost(questions);
    const { logger } = this.#options;
    if (fullBefore === 0 && full > 0) {
      logger.warn(
        { event: 'report_log_full', waiting: size },
        'presence is behind: a report log is full; reports wait',
      );
    } else if (fullBefore > 0 && full === 0) {
      logger.info({ event: 'report_log_taken', waiting: size }, 'the report logs have space again');
    }
  }

  /** Reports that may go now, as entries: in order within each partition. */
  #takeEntries(nowMs: number): LogAppend[] {
    const entries: LogAppend[] = [];
    const atOnce = Math.max(ENTRY_REPORTS, (ENTRIES_IN_FLIGHT * ENTRY_REPORTS) / this.#options.partitions);
    for (const [partition, queued] of this.#queues.take(nowMs, atOnce, ENTRY_REPORTS)) {
      for (let at = 0; at < queued.length; at += ENTRY_REPORTS) {
        const reports = queued.slice(at, at + ENTRY_REPORTS).map(({ report }) => report);
        const text = encodeReports({ incarnation: this.#incarnation, reports }, this.wireVersion);
        entries.push({ partition, text });
      }
    }
    return entries;
  }

  #goAway(reason: string): void {
    if (this.#state !== 'reporting') return;
    this.#state = 'away';
    this.#lease.end();
    // A presence that has just started asks every edge to register again: harmless while no client is connected.
    const isEmpty = this.#options.everything()[Symbol.iterator]().next().done === true;
    this.#options.logger[isEmpty ? 'info' : 'warn'](
      { event: 'presence_resync', reason },
      `registered again with presence: ${reason}`,
    );
    this.#owingSinceMs = isEmpty ? undefined : performance.now();
    this.#options.lost(this.#queues.clear());
    this.#cancelPause(); // An append of the former incarnation must not hold up the reports of the next one.
    this.#returning = this.#return();
  }

  /** Registers a new incarnation and reports everything under it; retries until that succeeds. Never rejects. */
  async #return(): Promise<void> {
    await this.#untilSubscribed();
    if (this.#incarnation !== '') this.#former.add(this.#incarnation);
    const { nodeId, wireVersionMax } = this.#options;
    const unique = `${Date.now().toString(36)}${randomBytes(4).toString('hex')}`;
    this.#incarnation = advertiseVersion(`${nodeId}/${unique}`, wireVersionMax);
    for (let retryMs = RETRY_MIN_MS; this.#state === 'away'; retryMs = Math.min(RETRY_MAX_MS, retryMs * 2)) {
      try {
        await this.#lease.begin(this.#incarnation);
        await this.#reportFormer();
        if (this.#state !== 'away') return;
        const nowMs = performance.now();
        for (const { partition, report } of this.#options.everything()) {
          this.#queues.add(partition, { report, isNew: false }, nowMs);
        }
        this.#state = 'reporting';
        this.#owingSinceMs = undefined;
        this.#options.logger.info(
          { event: 'presence_reported', reports: this.#queues.size },
          'reported the whole state to presence',
        );
        this.#flush();
        return;
      } catch {
        // Redis is away or the log is full: the reason was logged when it began; wait and retry.
        await this.#pause(retryMs * (0.5 + Math.random() / 2));
      }
    }
  }

  /** While its subscription is broken, the answers of presence would be lost. */
  async #untilSubscribed(): Promise<void> {
    const endMs = performance.now() + SUBSCRIPTION_WAIT_MS;
    while (this.#state === 'away' && !this.#options.isSubscribed() && performance.now() < endMs)
      await this.#pause(HEARS_CHECK_MS);
  }

  /** Reports to every partition that former incarnations are gone. @throws if some partitions did not take it. */
  async #reportFormer(): Promise<void> {
    const { log, leases, partitions } = this.#options;
    const former = [...this.#former];
    if (former.length === 0) return;
    const reports = former.map(gone => ({ kind: 'node_gone' as const, gone }));
    const text = encodeReports({ incarnation: this.#incarnation, reports }, this.wireVersion);
    const results = await log.append(Array.from({ length: partitions }, (_, partition) => ({ partition, text })));
    const full = results.filter(({ taken }) => !taken).map(({ partition }) => partition);
    if (full.length > 0) throw new Error(`Partitions ${full.join(', ')} are full.`);
    for (const incarnation of former) {
      await leases.release(incarnation);
      this.#former.delete(incarnation);
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms);
      this.#cancelPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
