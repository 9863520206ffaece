/** Brings an edge's reports to presence, under an incarnation that holds a lease; starts over when that is in doubt. */
import { randomBytes } from 'node:crypto';
import type { LogAppend, NodeLeases, ReportLog } from '@hubbub/broker';
import { encodeReports, type Report } from '@hubbub/protocol';
import type { Logger } from '@hubbub/runtime';

/** A report, and the partition it is for. */
export interface AddressedReport {
  readonly partition: number;
  readonly report: Report;
}

export interface ReportCourierOptions {
  readonly log: ReportLog;
  readonly leases: NodeLeases;
  readonly nodeId: string;
  readonly partitions: number;
  readonly logger: Logger;
  /** The whole state of the edge, for a resync of presence. */
  everything(): Iterable<AddressedReport>;
  /** These may not have arrived; `everything` will be asked for soon. */
  lost(reports: readonly Report[]): void;
}

/** Reports of this period travel together: at most 200 appends a second, and a join waits no longer than that. */
const GATHER_MS = 5;
/** An entry is applied as a whole: this bounds what presence takes in one bite. */
const ENTRY_REPORTS = 256;
const ENTRIES_IN_FLIGHT = 64;
/** More waiting than this means that the log does not keep up: the current state is reported again when it does. */
const MAX_WAITING = 50_000;
export const RENEWALS_PER_LEASE = 4;
const RETRY_MIN_MS = 100;
/**
 * An edge is back soon after Redis is: by then presence may have declared its former incarnation dead, and the graces of its
 * users run. Well below the grace of a resync (apps/presence, departures.ts).
 */
export const RETRY_MAX_MS = 500;

/**
 * `reporting`: reports are accepted and sent. `away`: they are dropped, and the current state will be reported under a new
 * incarnation as soon as the log accepts it. `closed`: final.
 */
type CourierState = 'reporting' | 'away' | 'closed';

export class ReportCourier {
  readonly #options: ReportCourierOptions;
  #state: CourierState = 'away';
  #incarnation = '';
  /** Incarnations that may have reported and whose end presence does not know yet. */
  readonly #former = new Set<string>();
  #waiting: AddressedReport[] = [];
  /** Given to the log, which has not answered yet. */
  #inFlight: readonly AddressedReport[] = [];
  #maxWaiting = MAX_WAITING;
  #renewedAtMs = 0;
  #flushTimer: NodeJS.Timeout | undefined;
  #renewTimer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #returning: Promise<void> | undefined;
  #cancelPause: () => void = () => {};

  constructor(options: ReportCourierOptions) {
    this.#options = options;
  }

  /** Whether reports are taken at the moment. */
  get isReporting(): boolean {
    return this.#state === 'reporting';
  }

  get incarnation(): string {
    return this.#incarnation;
  }

  start(): void {
    this.#renewTimer = setInterval(() => void this.#renew(), this.#options.leases.leaseMs / RENEWALS_PER_LEASE);
    this.#returning = this.#return();
  }

  /** Takes a report; false: dropped, and `everything` will be reported later. */
  add(partition: number, report: Report): boolean {
    if (this.#state !== 'reporting') return false;
    this.#waiting.push({ partition, report });
    if (this.#waiting.length > this.#maxWaiting) {
      this.#goAway('too many reports wait');
      return false;
    }
    this.#flushTimer ??= setTimeout(() => this.#flush(), GATHER_MS);
    return true;
  }

  /** Brings what waits, declares the incarnation gone and gives up its lease. Never rejects: a lease also runs out. */
  async close(): Promise<void> {
    const wasReporting = this.#state === 'reporting';
    const waiting = this.#flushing;
    this.#state = 'closed';
    clearInterval(this.#renewTimer);
    clearTimeout(this.#flushTimer);
    this.#cancelPause();
    await this.#returning;
    await waiting;
    if (this.#incarnation !== '') this.#former.add(this.#incarnation);
    try {
      while (wasReporting && this.#waiting.length > 0) await this.#options.log.append(this.#takeEntries());
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
      if (this.#waiting.length > 0 && this.#state === 'reporting') this.#flush();
    });
  }

  async #flushAll(): Promise<void> {
    while (this.#state === 'reporting' && this.#waiting.length > 0) {
      // A process that was paused must not report under a lease that ran out meanwhile.
      if (performance.now() - this.#renewedAtMs > this.#options.leases.leaseMs && !(await this.#renew())) return;
      const incarnation = this.#incarnation;
      const before = this.#waiting;
      const entries = this.#takeEntries();
      this.#inFlight = before.slice(0, before.length - this.#waiting.length);
      let failure: { reason: string; error?: unknown } | undefined;
      try {
        if ((await this.#options.log.append(entries)).length > 0) failure = { reason: 'the log is full' };
      } catch (error) {
        failure = { reason: 'it is not known whether a report arrived', error };
      }
      // Everything has been reported again since, under another incarnation: what became of these does not matter.
      if (incarnation !== this.#incarnation) continue;
      if (failure !== undefined) this.#goAway(failure.reason, failure.error);
      this.#inFlight = [];
    }
  }

  /** The waiting reports as entries, in order within each partition. */
  #takeEntries(): LogAppend[] {
    const taken = this.#waiting.slice(0, ENTRIES_IN_FLIGHT * ENTRY_REPORTS);
    this.#waiting = this.#waiting.slice(taken.length);
    const byPartition = new Map<number, Report[]>();
    for (const { partition, report } of taken) {
      const reports = byPartition.get(partition);
      if (reports === undefined) byPartition.set(partition, [report]);
      else reports.push(report);
    }
    const entries: LogAppend[] = [];
    for (const [partition, reports] of byPartition) {
      for (let at = 0; at < reports.length; at += ENTRY_REPORTS) {
        const batch = { incarnation: this.#incarnation, reports: reports.slice(at, at + ENTRY_REPORTS) };
        entries.push({ partition, text: encodeReports(batch) });
      }
    }
    return entries;
  }

  /** @returns whether the incarnation still holds its lease, as far as is known. */
  async #renew(): Promise<boolean> {
    const incarnation = this.#incarnation;
    if (this.#state !== 'reporting') return false;
    const askedAtMs = performance.now();
    try {
      const held = await this.#options.leases.renew(incarnation);
      if (incarnation !== this.#incarnation) return false;
      if (held) this.#renewedAtMs = askedAtMs;
      else this.#goAway('this edge was declared dead');
      return held;
    } catch (error) {
      // One unanswered renewal is not enough: the lease is valid until it runs out.
      if (askedAtMs - this.#renewedAtMs > this.#options.leases.leaseMs) this.#goAway('the lease ran out', error);
      return false;
    }
  }

  #goAway(reason: string, error?: unknown): void {
    if (this.#state !== 'reporting') return;
    this.#state = 'away';
    // A presence that has just started asks every edge to register again: harmless while no client is connected.
    const isEmpty = this.#options.everything()[Symbol.iterator]().next().done === true;
    this.#options.logger[isEmpty ? 'info' : 'warn'](
      { event: 'presence_resync', reason, err: error },
      `registered again with presence: ${reason}`,
    );
    this.#options.lost([...this.#inFlight, ...this.#waiting].map(({ report }) => report));
    this.#waiting = [];
    this.#inFlight = [];
    this.#returning = this.#return();
  }

  /** Registers a new incarnation and reports everything under it; retries until that succeeds. Never rejects. */
  async #return(): Promise<void> {
    if (this.#incarnation !== '') this.#former.add(this.#incarnation);
    this.#incarnation = `${this.#options.nodeId}/${Date.now().toString(36)}${randomBytes(4).toString('hex')}`;
    for (let retryMs = RETRY_MIN_MS; this.#state === 'away'; retryMs = Math.min(RETRY_MAX_MS, retryMs * 2)) {
      try {
        const askedAtMs = performance.now();
        await this.#options.leases.register(this.#incarnation);
        await this.#reportFormer();
        if (this.#state !== 'away') return;
        this.#renewedAtMs = askedAtMs;
        this.#waiting = [...this.#options.everything()];
        this.#maxWaiting = this.#waiting.length + MAX_WAITING;
        this.#state = 'reporting';
        this.#options.logger.info(
          { event: 'presence_reported', reports: this.#waiting.length },
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

  /** Reports to every partition that former incarnations are gone. @throws if some partitions did not take it. */
  async #reportFormer(): Promise<void> {
    const { log, leases, partitions } = this.#options;
    const former = [...this.#former];
    if (former.length === 0) return;
    const reports = former.map(gone => ({ kind: 'node_gone' as const, gone }));
    const text = encodeReports({ incarnation: this.#incarnation, reports });
    const refused = await log.append(Array.from({ length: partitions }, (_, partition) => ({ partition, text })));
    if (refused.length > 0) throw new Error(`Partitions ${refused.join(', ')} are full.`);
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
