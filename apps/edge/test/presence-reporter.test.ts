/** The reports of an edge to presence, and its resync when an outcome is unknown. */
import {
  type AppendNumber,
  type AppendResult,
  LOG_START,
  type LogAppend,
  MemoryNodeLeases,
  MemoryReportLog,
  type ReportLog,
} from '@hubbub/broker';
import { decodeReports, HubbubError, partitionOf, type Report, type Status } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { SILENT } from '../../../tests/support/silent-logger.js';
import { PresenceReporter, type ReportedSession } from '../src/presence/presence-reporter.js';

const PARTITIONS = 4;

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
  status?: Status;
  state: 'open' | 'closed';
  readonly rooms: Set<string>;
}

function bench({ leaseMs = 60_000, maxEntries = 10_000, isSubscribed = (): boolean => true } = {}) {
  const log = new TestLog({ maxEntries });
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
        statusIn: () => session.status,
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

describe('the whole state', () => {
  test('waits for the subscription, because answers would be lost', async () => {
    let checks = 0;
    const { started } = bench({ isSubscribed: () => ++checks > 3 });
    await started();
    expect(checks, 'three checks fail, and the fourth lets the state go').toBe(4);
  });

  test('does not wait for a subscription that stays broken', async () => {
    const { started } = bench({ isSubscribed: () => false });
    await started();
  });
});

describe('reports', () => {
  test('go to the partition of the room or of the user, in order, under one incarnation', async () => {
    const { log, reporter, open, close, started } = bench();
    await started();
    const session = open('s1', 'red', 'blue');
    reporter.left(session, 'blue');
    session.rooms.delete('blue');
    reporter.askRoster(session, 'red', 1, 7);
    close(session);
    await eventually(async () => (await log.sent()).length === 10);
    const notice = await log.sent();
    for (const { partition, report, incarnation } of notice) {
      expect(incarnation).toBe(reporter.incarnation);
      const ofRoom = ['join', 'leave', 'drop', 'roster'].includes(report.kind);
      const key = ofRoom && 'room' in report ? report.room : 'user' in report ? report.user : '';
      expect(partition).toBe(partitionOf(key, PARTITIONS));
    }
    const ofRoom = (room: string) =>
      notice.filter(
        ({ report }) => 'room' in report && report.room === room && !['enter', 'exit'].includes(report.kind),
      );
    expect(ofRoom('red').map(({ report }) => report.kind)).toEqual(['join', 'roster', 'drop']);
    expect(ofRoom('blue').map(({ report }) => report.kind)).toEqual(['join', 'leave']);
    expect(
      notice.filter(({ report }) => 'user' in report && !('room' in report)).map(({ report }) => report.kind),
    ).toEqual(['connect', 'disconnect']);
    expect(notice.find(({ report }) => report.kind === 'roster')?.report).toMatchObject({ question: 1, after: 7 });
  });

  test('of the same moment share an append', async () => {
    const { log, open, started } = bench();
    await started();
    for (let i = 0; i < 1000; i++) open(`s${i}`, 'red');
    await eventually(async () => (await log.sent()).length === 3000);
    const found = await log.read(new Map([[partitionOf('red', PARTITIONS), LOG_START]]), { waitMs: 0, limit: 1000 });
    expect([...found.values()][0]?.length).toBeLessThan(20);
  });

  test('a graceful close sends pending reports, signs off from all partitions and releases the lease', async () => {
    const { log, leases, reporter, open, started } = bench();
    await started();
    open('s1', 'red');
    await reporter.close();
    const kinds = await log.kinds();
    expect(kinds).toEqual(['connect', 'enter', 'join', ...Array(PARTITIONS).fill('node_gone')]);
    expect(await leases.living()).toEqual([]);
  });
});

describe('a full log', () => {
  const red = partitionOf('red', PARTITIONS);
  const blue = partitionOf('blue', PARTITIONS);

  test('makes its reports wait, and those of the other partitions not; no resync follows', async () => {
    expect(blue).not.toBe(red);
    const { log, reporter, open, close, started } = bench();
    await started();
    open('s0', 'red');
    await eventually(async () => (await log.kinds()).includes('join'));
    const { incarnation } = reporter;
    log.full.add(red);
    const gone = open('s1', 'red');
    open('s2', 'red', 'blue');
    await eventually(async () => (await log.sent()).some(({ report }) => 'room' in report && report.room === 'blue'));
    await eventually(() => reporter.backlog.fill === 1 && reporter.backlog.unappendedMs > 200);
    expect(reporter.isReporting).toBe(true);
    close(gone);
    log.full.clear();
    await eventually(() => reporter.waiting === 0);
    expect(reporter.backlog.unappendedMs).toBe(0);
    const sent = await log.sent();
    expect(new Set(sent.map(notice => notice.incarnation)), 'there was no resync').toEqual(new Set([incarnation]));
    const ofRed = sent.filter(
      ({ partition, report }) => partition === red && 'room' in report && report.room === 'red',
    );
    const joined = ofRed.filter(({ report }) => report.kind === 'join').map(({ report }) => report);
    expect(joined.map(report => 'session' in report && report.session)).toEqual(['s0', 's1', 's2']);
    expect(ofRed.filter(({ report }) => report.kind === 'drop')).toHaveLength(1);
  });

  test('refuses the questions that wait for it, and new ones immediately', async () => {
    const { log, reporter, refused, open, started } = bench();
    await started();
    const session = open('s1', 'red');
    await eventually(async () => (await log.kinds()).includes('join'));
    log.full.add(red);
    expect(reporter.askRoster(session, 'red', 7)).toBe(true);
    await eventually(() => refused.length > 0);
    expect(refused).toEqual([7]);
    expect(reporter.askRoster(session, 'red', 8), 'a question to a full log').toBe(false);
    log.full.clear();
    await eventually(() => reporter.askRoster(session, 'red', 9));
  });

  test('does not keep an edge from closing', async () => {
    const { log, reporter, open, started } = bench();
    await started();
    for (let partition = 0; partition < PARTITIONS; partition++) log.full.add(partition);
    open('s1', 'red');
    await eventually(() => reporter.backlog.fill === 1);
    await reporter.close();
  });
});

describe('how far presence is behind', () => {
  test('counts only while presence removes reports', async () => {
    const { log, reporter, open, started } = bench();
    await started();
    open('s1', 'red');
    await eventually(async () => (await log.kinds()).includes('join'));
    const opened = Date.now();
    await eventually(() => Date.now() - opened > 300);
    open('s2', 'red');
    await eventually(() => reporter.backlog.fill > 0);
    expect(reporter.backlog.lagMs, 'presence has not removed an entry').toBe(0);
    // Presence removes the first join, which is older than the second one.
    const [first] = [
      ...(await log.read(new Map([[partitionOf('red', PARTITIONS), LOG_START]]), { waitMs: 0, limit: 1 })).values(),
    ];
    await log.trim(partitionOf('red', PARTITIONS), first?.[0]?.position ?? '');
    const trimmed = Date.now();
    await eventually(() => Date.now() - trimmed > 100);
    open('s3', 'red');
    await eventually(() => reporter.backlog.lagMs > 0);
  });
});

describe('a resync', () => {
  test('an edge that was declared dead reports all its sessions under a new incarnation, not as news', async () => {
    const { log, leases, reporter, open, started } = bench({ leaseMs: 200 });
    await started();
    open('s1', 'red');
    open('s2', 'red', 'blue');
    await eventually(async () => (await log.sent()).length === 8);
    const before = reporter.incarnation;
    await leases.fenceAll();
    await eventually(() => reporter.isReporting && reporter.incarnation !== before, { describe: 'the edge is back' });
    await eventually(async () => (await log.sent()).length === 16 + PARTITIONS);
    const after = (await log.sent()).filter(({ incarnation }) => incarnation === reporter.incarnation);
    expect(after.filter(({ report }) => report.kind === 'node_gone')).toHaveLength(PARTITIONS);
    for (const { report } of after) if (report.kind === 'node_gone') expect(report.gone).toBe(before);
    const joins = after.filter(({ report }) => report.kind === 'join');
    expect(joins).toHaveLength(3);
    expect(reporter.repeatedJoins, 'the cost of the resync').toBe(3);
    for (const { report } of joins) expect(report).toMatchObject({ resync: true });
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const first = after.find(notice => notice.partition === partition);
      expect(first?.report.kind, 'goodbye comes first').toBe('node_gone');
    }
  });

  test.each(['before', 'after'] as const)(
    'when an append fails %s it was applied, the edge repeats it, and presence reads each report once',
    async failing => {
      const { log, reporter, open, started } = bench();
      await started();
      open('s1', 'red');
      await eventually(async () => (await log.sent()).length === 3);
      const before = reporter.incarnation;
      log.failing = failing;
      open('s2', 'red');
      await eventually(() => log.failed > 1, { describe: 'the append is repeated' });
      open('s3', 'blue');
      log.failing = undefined;
      await eventually(async () => (await log.sent()).length === 9);
      expect(reporter.incarnation, 'no resync follows').toBe(before);
      const sessions = (await log.sent()).flatMap(({ report }) => (report.kind === 'join' ? [report.session] : []));
      expect(sessions.sort()).toEqual(['s1', 's2', 's3']);
      expect(await log.kinds()).not.toContain('node_gone');
    },
  );

  test('when a repeated append is refused, the edge reports everything again: the first attempt may still arrive', async () => {
    const { log, reporter, open, started } = bench();
    await started();
    const before = reporter.incarnation;
    log.failing = 'before';
    open('s1', 'red');
    await eventually(() => log.failed > 0);
    log.full.add(partitionOf('red', PARTITIONS));
    log.failing = undefined;
    await eventually(() => reporter.incarnation !== before, { describe: 'the edge registers again' });
    log.full.clear();
    await eventually(async () => (await log.kinds()).includes('join'));
  });

  test('a request that may not have reached presence is refused', async () => {
    const { log, reporter, refused, open, started } = bench();
    await started();
    const session = open('s1', 'red');
    await eventually(async () => (await log.sent()).length === 3);
    log.failing = 'before';
    expect(reporter.askRoster(session, 'red', 7)).toBe(true);
    await eventually(() => refused.length > 0);
    expect(refused).toEqual([7]);
    log.failing = undefined;
    await eventually(async () => (await log.kinds()).includes('roster'));
    expect(refused, 'refused once').toEqual([7]);
  });

  test('an append that fails after the edge was fenced is resynced once, and its joins are news', async () => {
    const { log, leases, reporter, open, started } = bench({ leaseMs: 200 });
    await started();
    const before = reporter.incarnation;
    let release = (): void => {};
    log.hanging = new Promise(resolve => {
      release = resolve;
    });
    open('s1', 'red');
    await eventually(() => log.hung === 1, { describe: 'the reports are in flight' });
    log.hanging = undefined;
    await leases.fenceAll();
    await eventually(() => reporter.isReporting && reporter.incarnation !== before, { describe: 'the edge is back' });
    const after = reporter.incarnation;
    release();
    await eventually(async () => (await log.kinds()).includes('join'));
    const joins = (await log.sent()).filter(({ report }) => report.kind === 'join');
    expect(joins).toHaveLength(1);
    expect(joins[0]?.incarnation).toBe(after);
    expect(joins[0]?.report).not.toHaveProperty('resync');
    expect(reporter.incarnation).toBe(after);
  });

  test('sessions that opened while Redis was unreachable are reported afterwards', async () => {
    const { log, reporter, open } = bench();
    expect(reporter.backlog.unappendedMs, 'there is nothing to report').toBe(0);
    open('s1', 'red');
    expect(reporter.isReporting).toBe(false);
    await eventually(() => reporter.backlog.unappendedMs > 0);
    reporter.start();
    await eventually(async () => (await log.kinds()).includes('join'));
    expect((await log.sent()).find(({ report }) => report.kind === 'join')?.report).not.toHaveProperty('resync');
  });

  test('closes while the broker is unreachable', async () => {
    const { log, reporter, open, started } = bench();
    await started();
    log.failing = 'before';
    open('s1', 'red');
    await eventually(() => log.failed > 0);
    await reporter.close();
  });
});
