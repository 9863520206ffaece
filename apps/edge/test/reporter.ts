/** A presence reporter with a log and leases in memory, whose failures a test injects. */
import {
  type AppendNumber,
  type AppendResult,
  LOG_START,
  type LogAppend,
  MemoryNodeLeases,
  MemoryReportLog,
  type ReportLog,
} from '@hubbub/broker';
import { decodeReports, HubbubError, type Report } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { expect } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { SILENT } from '../../../tests/support/silent-logger.js';
import { PresenceReporter, type ReportedSession } from '../src/presence/presence-reporter.js';

export const PARTITIONS = 4;

/** A log with injectable failures that returns everything sent, partition by partition. */
class TestLog extends MemoryReportLog implements ReportLog {
  /** Whether appends reject before or after they are applied. */
  failing: 'before' | 'after' | undefined;
  /** Appends that failed because of `failing`. */
  failed = 0;
  /** Appends of session reports wait for this promise, and then reject without being applied. */
  hanging: Promise<void> | undefined;
  hung = 0;
  /** Partitions that are full. */
  readonly full = new Set<number>();

  override async append(entries: readonly LogAppend[], number?: AppendNumber): Promise<readonly AppendResult[]> {
    if (this.hanging !== undefined && entries.some(({ text }) => text.includes('"c"'))) {
      this.hung++;
      await this.hanging;
      throw new HubbubError('UNAVAILABLE', 'away');
    }
    if (this.failing !== undefined) this.failed++;
    if (this.failing === 'before') throw new HubbubError('UNAVAILABLE', 'away');
    const results = await super.append(
      entries.filter(({ partition }) => !this.full.has(partition)),
      number,
    );
    if (this.failing === 'after') throw new HubbubError('UNAVAILABLE', 'away');
    const refused = new Set(entries.map(({ partition }) => partition).filter(partition => this.full.has(partition)));
    return [...results, ...Array.from(refused, partition => ({ partition, taken: false, fill: 1, oldestAgeMs: 1000 }))];
  }

  async sent(): Promise<Array<{ incarnation: string; partition: number; report: Report }>> {
    const positions = new Map(Array.from({ length: PARTITIONS }, (_, partition) => [partition, LOG_START]));
    const found = await this.read(positions, { waitMs: 0, limit: 100_000 });
    return [...found].flatMap(([partition, entries]) =>
      entries.flatMap(({ text }) => {
        const { batch, malformed } = decodeReports(text);
        expect(malformed).toBe(0);
        return (batch?.reports ?? []).map(report => ({ incarnation: batch?.incarnation ?? '', partition, report }));
      }),
    );
  }

  async kinds(): Promise<string[]> {
    return (await this.sent()).map(({ report }) => report.kind).sort();
  }
}

interface TestSession extends ReportedSession {
  state: 'open' | 'closed';
  readonly rooms: Set<string>;
}

export function startReporter({ leaseMs = 60_000, isSubscribed = (): boolean => true } = {}) {
  const log = new TestLog({ maxEntries: 10_000 });
  const leases = new MemoryNodeLeases({ leaseMs });
  const sessions = new Set<TestSession>();
  const refused: number[] = [];
  const reporter = new PresenceReporter({
    isSubscribed,
    log,
    leases,
    nodeId: 'edge-1',
    partitions: PARTITIONS,
    snapshot: () => sessions,
    refuseQuestion: question => refused.push(question),
    logger: SILENT,
  });
  cleanup(() => reporter.close());
  return {
    log,
    leases,
    reporter,
    refused,
    open(id: string, ...rooms: string[]): TestSession {
      const session: TestSession = {
        id,
        user: { id: `user-${id}`, name: id },
        state: 'open',
        rooms: new Set(),
        userIn: () => session.user,
        statusIn: () => undefined,
      };
      sessions.add(session);
      reporter.sessionOpened(session);
      for (const room of rooms) {
        session.rooms.add(room);
        reporter.joined(session, room);
      }
      return session;
    },
    close(session: TestSession): void {
      session.state = 'closed';
      reporter.sessionClosed(session);
      sessions.delete(session);
    },
    async started(): Promise<void> {
      reporter.start();
      await eventually(() => reporter.isReporting);
    },
  };
}
