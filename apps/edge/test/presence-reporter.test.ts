/** The reports of an edge to presence: where they go, and what happens while a log is full. */
import { LOG_START } from '@hubbub/broker';
import { partitionOf } from '@hubbub/protocol';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { PARTITIONS, startReporter } from './reporter.js';

describe('reports', () => {
  test('go to the partition of the room or of the user, in order, under one incarnation', async () => {
    const { log, reporter, open, close, started } = startReporter();
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

  test('name the member that the room shows for the session', async () => {
    const { log, reporter, open, close, started } = startReporter();
    await started();
    const session = open('s1');
    session.userIn = room => ({ id: `member of ${room}`, name: room });
    reporter.joined(session, 'red');
    reporter.left(session, 'red');
    session.rooms.add('red');
    reporter.joined(session, 'red');
    reporter.statusSet(session);
    await eventually(async () => (await log.kinds()).includes('status'));
    close(session);
    await eventually(async () => (await log.kinds()).includes('disconnect'));
    const users = (await log.sent()).map(({ report }) => [report.kind, 'user' in report ? report.user : undefined]);
    const ofRoom = users.filter(([kind = '']) => ['join', 'leave', 'status', 'drop'].includes(kind));
    expect(ofRoom).toEqual(['join', 'leave', 'join', 'status', 'drop'].map(kind => [kind, 'member of red']));
    expect(users.filter(([kind = '']) => ['connect', 'disconnect'].includes(kind)).map(([, user]) => user)).toEqual([
      'user-s1',
      'user-s1',
    ]);
  });

  test('of the same moment share an append', async () => {
    const { log, open, started } = startReporter();
    await started();
    for (let i = 0; i < 1000; i++) open(`s${i}`, 'red');
    await eventually(async () => (await log.sent()).length === 3000);
    const found = await log.read(new Map([[partitionOf('red', PARTITIONS), LOG_START]]), { waitMs: 0, limit: 1000 });
    expect([...found.values()][0]?.length).toBeLessThan(20);
  });

  test('a graceful close sends pending reports, signs off from all partitions and releases the lease', async () => {
    const { log, leases, reporter, open, started } = startReporter();
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
    const { log, reporter, open, close, started } = startReporter();
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
    const { log, reporter, refused, open, started } = startReporter();
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
    const { log, reporter, open, started } = startReporter();
    await started();
    for (let partition = 0; partition < PARTITIONS; partition++) log.full.add(partition);
    open('s1', 'red');
    await eventually(() => reporter.backlog.fill === 1);
    await reporter.close();
  });
});

describe('how far presence is behind', () => {
  test('counts only while presence removes reports', async () => {
    const { log, reporter, open, started } = startReporter();
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
