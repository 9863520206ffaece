/** A partition whose registry went back in time: with its memory, and with the old rows alone. */
import type { Report } from '@hubbub/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GRACE_MS, PartitionBench } from './support/partition-bench.js';

const EDGE = 'edge-1/a';
const EDGE_AGAIN = 'edge-1/b';
const RESTORING_MS = 30_000;

type Rows = Record<string, Record<string, string>>;

function copyOf({ hashes }: PartitionBench): Map<string, ReadonlyMap<string, string>> {
  return new Map(Array.from(hashes, ([name, hash]) => [name, new Map(hash)]));
}

function rowsOf({ hashes }: PartitionBench): Rows {
  return Object.fromEntries(Array.from(hashes, ([name, hash]) => [name, Object.fromEntries(hash)]));
}

describe('with its memory', () => {
  const reports = fc.tuple(
    fc.constantFrom('join', 'leave', 'drop', 'connect', 'disconnect', 'gone', 'wait'),
    fc.constantFrom('red', 'blue', 'green'),
    fc.constantFrom('u0', 'u1', 'u2'),
    fc.integer({ min: 0, max: 2 }),
  );

  type Step = typeof reports extends fc.Arbitrary<infer T> ? T : never;
  const apply = (bench: PartitionBench, [kind, room, user, edge]: Step) => {
    const session = `${user}-${edge}`;
    if (kind === 'wait') bench.advance(GRACE_MS / 2);
    else if (kind === 'gone') bench.report('presence', { kind: 'node_gone', gone: `edge-${edge}/a` });
    else if (kind === 'join') bench.join(`edge-${edge}/a`, session, user, room);
    else bench.report(`edge-${edge}/a`, { kind, room, session, user } as Report);
  };

  const sameMembersInALaterVersion: [Step[], Step[]] = [
    [['join', 'red', 'u0', 0]],
    [
      ['join', 'red', 'u1', 0],
      ['leave', 'red', 'u1', 0],
    ],
  ];

  test('every row is again what it was before the registry went back, and no member hears of it', () => {
    fc.assert(
      fc.property(fc.array(reports), fc.array(reports, { minLength: 1 }), (before, after) => {
        const bench = new PartitionBench();
        for (const report of before) apply(bench, report);
        const old = copyOf(bench);
        for (const report of after) apply(bench, report);
        const rows = rowsOf(bench);
        const announced = bench.announcements.length;
        bench.goBack(old);
        expect(rowsOf(bench)).toEqual(rows);
        expect(bench.announcements.slice(announced)).toEqual([]);
        bench.goBack(new Map());
        expect(rowsOf(bench), 'after a loss of everything').toEqual(rows);
      }),
      { examples: [sameMembersInALaterVersion] },
    );
  });

  test('deadlines wait until edges can have reported: a reconnect during the outage is invisible', () => {
    const bench = new PartitionBench();
    bench.join(EDGE, 's1', 'alice');
    bench.join(EDGE, 's2', 'bob');
    bench.drop(EDGE, 's1', 'alice');
    bench.drop(EDGE, 's2', 'bob');
    bench.heard();
    bench.partition.suspendDeadlines(bench.nowMs + 2 * GRACE_MS);
    bench.advance(2 * GRACE_MS - 1);
    bench.join(EDGE_AGAIN, 's3', 'alice', 'general', { resync: true });
    expect(bench.heard()).toEqual([]);
    bench.advance(1);
    expect(bench.heard()).toEqual(['user_left bob 1']);
  });

  test('the reaping of a fenced edge is invisible where its edge reports again, also without a grace', () => {
    const bench = new PartitionBench({ namespace: { leaveGraceMs: 0 } });
    bench.join(EDGE, 's1', 'alice');
    bench.join(EDGE, 's2', 'bob');
    bench.heard();
    bench.partition.suspendDeadlines(bench.nowMs + 2000);
    bench.report(EDGE, { kind: 'node_gone', gone: EDGE });
    bench.advance(1000);
    bench.join(EDGE_AGAIN, 's1', 'alice', 'general', { resync: true });
    expect(bench.heard()).toEqual([]);
    bench.advance(1000);
    expect(bench.heard()).toEqual(['user_left bob 1']);
  });

  test('a member that an edge reports again gets the roster once, until edges have reported', () => {
    const bench = new PartitionBench();
    bench.join(EDGE, 's1', 'alice');
    bench.heard();
    bench.partition.answerReportsUntil(bench.nowMs + RESTORING_MS);
    bench.join(EDGE_AGAIN, 's1', 'alice', 'general', { resync: true });
    expect(bench.heard()).toEqual(['room_info → edge-1 [s1] 1']);
    bench.advance(RESTORING_MS);
    bench.join('edge-1/c', 's1', 'alice', 'general', { resync: true });
    expect(bench.heard()).toEqual([]);
  });
});

describe('with old rows alone', () => {
  /** Alice and Bob are in the rows; the last version that members have seen is a later one. */
  function oldRows(): { bench: PartitionBench; seenVersion: number } {
    const bench = new PartitionBench({ namespace: { memberEvents: true } });
    bench.join(EDGE, 's1', 'alice');
    bench.join(EDGE, 's2', 'bob');
    bench.advance(60_000);
    bench.takeOver({ restoringMs: RESTORING_MS });
    bench.heard();
    bench.lifecycle.length = 0;
    return { bench, seenVersion: bench.nowMs - 1000 };
  }

  const left = (bench: PartitionBench) =>
    bench.lifecycle.flatMap(event => (event.event === 'member_left' ? [event.user] : []));

  test('members get the roster of the room, in a version that counts, instead of leaves that they may have heard', () => {
    const { bench, seenVersion } = oldRows();
    bench.report(EDGE_AGAIN, { kind: 'node_gone', gone: EDGE });
    bench.join(EDGE_AGAIN, 's1', 'alice', 'general', { resync: true });
    expect(bench.announcements.every(({ payload }) => Number(payload.version) > seenVersion)).toBe(true);
    expect(bench.heard(), 'she may have left and returned').toEqual(['room_info 2']);
    bench.advance(GRACE_MS);
    expect(bench.heard()).toEqual(['room_info 1']);
    expect(bench.roster()).toEqual(['alice']);
    expect(left(bench), 'services hear it at least once').toEqual(['bob']);
  });

  test('a leave that an edge reports afterwards is announced', () => {
    const { bench } = oldRows();
    bench.leave(EDGE, 's1', 'alice');
    expect(bench.heard()).toEqual(['user_left alice 1']);
    bench.join(EDGE_AGAIN, 's2', 'bob', 'general', { resync: true });
    bench.heard();
    bench.drop(EDGE_AGAIN, 's2', 'bob');
    bench.join(EDGE_AGAIN, 's3', 'carol');
    bench.heard();
    bench.advance(GRACE_MS);
    expect(bench.heard()).toEqual(['user_left bob 1']);
  });

  test('another owner that takes over continues, and gives no number of an old incarnation to a new one', () => {
    const { bench } = oldRows();
    bench.report(EDGE_AGAIN, { kind: 'node_gone', gone: EDGE });
    bench.advance(1000);
    bench.takeOver();
    bench.join(EDGE_AGAIN, 's3', 'carol', 'general', { resync: true });
    bench.heard();
    bench.advance(1000);
    bench.takeOver();
    bench.report('presence', { kind: 'node_gone', gone: EDGE_AGAIN });
    bench.advance(GRACE_MS);
    expect(bench.heard()).toEqual(['room_info 1', 'user_left carol 0']);
    expect(left(bench)).toEqual(['alice', 'bob', 'carol']);
  });

  test('another owner continues from the raised version, even if no report arrived before it', () => {
    const { bench, seenVersion } = oldRows();
    bench.takeOver();
    bench.join(EDGE_AGAIN, 's1', 'alice', 'general', { resync: true });
    expect(bench.announcements.map(({ payload }) => Number(payload.version) > seenVersion)).toEqual([true]);
  });

  test('after the time of the restoration every leave is announced, and no field is left', () => {
    const { bench } = oldRows();
    expect([...(bench.hashes.get('meta')?.keys() ?? [])]).toContain('old');
    bench.advance(RESTORING_MS);
    expect([...(bench.hashes.get('meta')?.keys() ?? [])]).not.toContain('old');
    bench.report('presence', { kind: 'node_gone', gone: EDGE });
    bench.advance(GRACE_MS);
    expect(bench.heard().map(line => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'user_left alice',
      'user_left bob',
    ]);
  });
});
