/** Owners on in-memory parts: the test controls the clock, the reads and the failures. */
import {
  type AppendResult,
  type LogAppend,
  type LogEntry,
  MemoryNodeLeases,
  MemoryOnlineCounter,
  MemoryReportLog,
  type ReportLog,
} from '@hubbub/broker';
import { Channels, encodeReports, type Report } from '@hubbub/protocol';
import { createMetricsRegistry } from '@hubbub/runtime';
import { vi } from 'vitest';
import { cleanup } from '../../../../tests/support/cleanup.js';
import { SILENT } from '../../../../tests/support/silent-logger.js';
import type { InstanceLeases } from '../../src/instance-leases.js';
import { MemoryInstanceLeases } from '../../src/memory/memory-instance-leases.js';
import { MemoryPartitionStore } from '../../src/memory/memory-partition-store.js';
import { createPresenceMetrics } from '../../src/metrics.js';
import { Owner } from '../../src/owner.js';
import { DEFAULT_NAMESPACE_RULES, DEFAULT_RULES } from '../../src/partition/rules.js';
import { type HeardFrame, readEnvelope } from './edge-double.js';

/** A log that stamps entries with the test's time, and can hold back its answers to the reader. */
export class HeldLog implements ReportLog {
  readonly #log = new MemoryReportLog();
  readonly #now: () => number;
  readonly #stamps = new Map<string, number>();
  #gate: Promise<void> | undefined;
  #open: () => void = () => {};
  /** Answers that wait behind the gate. */
  held = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  async append(entries: readonly LogAppend[]): Promise<readonly AppendResult[]> {
    for (const { text } of entries) if (!this.#stamps.has(text)) this.#stamps.set(text, this.#now());
    return this.#log.append(entries);
  }

  async read(...args: Parameters<ReportLog['read']>): Promise<ReadonlyMap<number, readonly LogEntry[]>> {
    const answer = await this.#log.read(...args);
    if (this.#gate !== undefined) {
      this.held++;
      await this.#gate;
    }
    return new Map(
      Array.from(answer, ([partition, entries]) => [
        partition,
        entries.map(entry => ({ ...entry, appendedAtMs: this.#stamps.get(entry.text) ?? entry.appendedAtMs })),
      ]),
    );
  }

  trim(partition: number, position: string): Promise<void> {
    return this.#log.trim(partition, position);
  }

  end(partition: number): Promise<string> {
    return this.#log.end(partition);
  }

  hold(): void {
    this.#gate = new Promise(resolve => {
      this.#open = resolve;
    });
  }

  release(): void {
    this.#gate = undefined;
    this.held = 0;
    this.#open();
  }
}

export class OwnerBench {
  readonly heard: HeardFrame[] = [];
  readonly store = new MemoryPartitionStore((channel, envelope) => this.heard.push(readEnvelope(channel, envelope)));
  readonly nodeLeases: MemoryNodeLeases;
  readonly log: HeldLog;
  readonly onlineCounter = new MemoryOnlineCounter();
  readonly instanceLeases: InstanceLeases;
  readonly #partitions: number;
  #shiftMs = 0;
  #reports = 0;

  constructor({ partitions = 1 } = {}) {
    this.#partitions = partitions;
    const now = () => this.now();
    for (const clock of [Date, performance]) {
      const read = clock.now.bind(clock);
      vi.spyOn(clock, 'now').mockImplementation(() => read() + this.#shiftMs);
    }
    cleanup(async () => void vi.restoreAllMocks());
    this.log = new HeldLog(now);
    this.nodeLeases = new MemoryNodeLeases({ now });
    this.instanceLeases = new MemoryInstanceLeases({ now });
  }

  /** The clock of the store. */
  now(): number {
    return 1_700_000_000_000 + performance.now();
  }

  /** Pauses the process for that long: its own clocks advance too. */
  advance(ms: number): void {
    this.#shiftMs += ms;
  }

  /** Starts an instance; `parts` replaces the parts that a test makes fail. */
  start(instance: string, parts: Partial<ConstructorParameters<typeof Owner>[0]> = {}): Owner {
    const owner = new Owner({
      instance,
      partitions: this.#partitions,
      channels: new Channels('test'),
      rules: { ...DEFAULT_RULES, namespace: () => DEFAULT_NAMESPACE_RULES },
      metrics: createPresenceMetrics(createMetricsRegistry(), SILENT),
      log: this.log,
      nodeLeases: this.nodeLeases,
      instanceLeases: this.instanceLeases,
      onlineCounter: this.onlineCounter,
      store: this.store,
      ...parts,
    });
    const ended = owner.run();
    cleanup(async () => {
      this.log.release();
      owner.stop();
      await ended;
    });
    return owner;
  }

  /** Appends reports to partition 0. */
  async report(incarnation: string, ...reports: Report[]): Promise<void> {
    // The incarnation's number makes each text unique, so that each one has its own time.
    const text = encodeReports({
      incarnation,
      reports: [...reports, { kind: 'node_gone', gone: `none/${this.#reports++}` }],
    });
    await this.log.append([{ partition: 0, text }]);
  }
}

/** The same object with some methods replaced, to inject a fault into a call. */
export function withFault<T extends object>(object: T, faults: Partial<T>): T {
  return new Proxy(object, {
    get(target, name) {
      const value = Reflect.get(name in faults ? faults : target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
