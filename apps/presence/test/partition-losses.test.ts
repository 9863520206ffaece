/** Announcements to rooms after edges die, the registry is lost, or another instance takes over: stories of one partition. */
import { describe, expect, test } from 'vitest';
import { GRACE_MS, PartitionBench } from './support/partition-bench.js';

const EDGE_1 = 'edge-1/a';
const EDGE_2 = 'edge-2/a';

describe('edges that die or return', () => {
  test('each user of a dead edge leaves exactly once, after the grace (invariant 4)', () => {
    const bench = new PartitionBench();
    for (let user = 0; user < 50; user++) bench.join(EDGE_1, `s${user}`, `u${user}`);
    bench.join(EDGE_2, 'other', 'u0');
    bench.heard();
    bench.report('presence', { kind: 'node_gone', gone: EDGE_1 });
    bench.report('presence', { kind: 'node_gone', gone: EDGE_1 });
    bench.advance(GRACE_MS);
    expect(bench.roster()).toEqual(['u0']);
    const left = bench.heard();
    expect(left).toHaveLength(49);
    expect(new Set(left.map(line => line.split(' ')[1])).size).toBe(49);
  });

  test('reports of an incarnation that was declared gone do not count', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_2, 's0', 'bob');
    bench.report('presence', { kind: 'node_gone', gone: EDGE_1 });
    bench.heard();
    bench.join(EDGE_1, 's1', 'ghost');
    bench.takeOver();
    bench.join(EDGE_1, 's1', 'ghost');
    expect(bench.roster()).toEqual(['bob']);
    expect(bench.heard()).toEqual([]);
  });

  test('a gone incarnation is remembered for an hour, and its number is free after its sessions are removed', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1', 'alice');
    bench.report('presence', { kind: 'node_gone', gone: EDGE_1 });
    bench.advance(GRACE_MS);
    expect([...(bench.hashes.get('meta')?.keys() ?? [])].filter(field => field.startsWith('i'))).toEqual([]);
    bench.advance(3_590_000);
    bench.join(EDGE_1, 's1', 'alice');
    expect(bench.roster()).toEqual([]);
    bench.advance(20_000);
    expect([...(bench.hashes.get('meta')?.keys() ?? [])].filter(field => field.startsWith('g'))).toEqual([]);
  });

  test('an edge that reports everything again under a new incarnation is invisible', () => {
    const bench = new PartitionBench();
    bench.join('edge-1/a', 's1', 'alice');
    bench.join('edge-1/a', 's2', 'bob');
    bench.heard();
    bench.report('edge-1/b', { kind: 'node_gone', gone: 'edge-1/a' });
    bench.join('edge-1/b', 's1', 'alice', 'general', { resync: true });
    bench.advance(2 * GRACE_MS);
    // Bob did not reconnect.
    expect(bench.heard()).toEqual(['user_left bob 1']);
    expect(bench.roster()).toEqual(['alice']);
  });

  test('a session that moved to a new incarnation between two slices of a departure stays', () => {
    const bench = new PartitionBench();
    const sessions = ['s1', 's2', 's3', 's4'];
    for (const session of sessions) {
      bench.report(EDGE_1, { kind: 'connect', session, user: session });
      bench.join(EDGE_1, session);
    }
    bench.partition.apply('edge-1/b', { kind: 'node_gone', gone: EDGE_1 }, bench.nowMs);
    bench.partition.tick(bench.nowMs, 1); // Removes one of eight rows.
    for (const session of sessions) {
      bench.partition.apply('edge-1/b', { kind: 'connect', session, user: session }, bench.nowMs);
      const join = { kind: 'join', room: 'general', session, user: session, name: session, resync: true } as const;
      bench.partition.apply('edge-1/b', join, bench.nowMs);
    }
    bench.commit();
    bench.heard();
    bench.advance(2 * GRACE_MS);
    expect(bench.heard()).toEqual([]);
    expect(bench.roster()).toEqual(sessions);
    expect(bench.partition.online).toBe(4);
    expect(bench.lifecycle.filter(({ event }) => event === 'user_offline')).toEqual([]);
  });

  test('a resync is invisible even without a grace', () => {
    const bench = new PartitionBench({ namespace: { leaveGraceMs: 0 } });
    bench.join(EDGE_1, 's1', 'alice');
    bench.join(EDGE_1, 's2', 'bob');
    bench.heard();
    bench.report('edge-1/b', { kind: 'node_gone', gone: EDGE_1 });
    bench.advance(1999);
    bench.join('edge-1/b', 's1', 'alice', 'general', { resync: true });
    expect(bench.heard()).toEqual([]);
    bench.advance(1);
    expect(bench.heard()).toEqual(['user_left bob 1']);
  });

  test('after a loss of the registry rooms get their rosters again instead of a join per member', () => {
    const bench = new PartitionBench({ restoringMs: 10_000 });
    bench.join(EDGE_1, 's1', 'alice', 'general', { resync: true });
    bench.heard();
    bench.report(
      EDGE_1,
      ...['s2', 's3'].map(s => ({
        kind: 'join' as const,
        room: 'general',
        session: s,
        user: s,
        name: s,
        resync: true,
      })),
    );
    expect(bench.heard()).toEqual(['room_info 3']);
    bench.advance(10_000);
    bench.join(EDGE_1, 's4', 's4', 'general', { resync: true });
    expect(bench.heard()[0]).toBe('user_joined s4 4');
  });

  test('after a loss, a user whose leave was announced is a join on return', () => {
    const bench = new PartitionBench({ restoringMs: 60_000 });
    bench.join(EDGE_2, 's0', 'witness', 'general', { resync: true });
    bench.join(EDGE_1, 's1', 'alice', 'general', { resync: true });
    bench.report('presence', { kind: 'node_gone', gone: EDGE_1 });
    bench.advance(GRACE_MS);
    bench.heard();
    bench.join('edge-1/b', 's1', 'alice', 'general', { resync: true });
    expect(bench.heard()).toEqual(['user_joined alice 2', 'room_info → edge-1 [s1] 2']);
  });

  test('a takeover in the middle of a grace and of a departure changes nothing', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1', 'alice');
    bench.join(EDGE_1, 's2', 'bob');
    bench.join(EDGE_2, 's3', 'carol');
    bench.drop(EDGE_1, 's1', 'alice');
    bench.advance(1000);
    bench.partition.apply('presence', { kind: 'node_gone', gone: EDGE_1 }, bench.nowMs);
    bench.commit(); // Declared gone; its sessions are not removed yet.
    bench.takeOver();
    bench.heard();
    bench.advance(GRACE_MS - 1000);
    expect(bench.heard()).toEqual(['user_left alice 2']);
    bench.advance(1000);
    expect(bench.heard()).toEqual(['user_left bob 1']);
    expect(bench.roster()).toEqual(['carol']);
  });
});

describe('malformed rows', () => {
  test('are ignored and deleted', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1', 'alice');
    bench.hashes.get('room:general')?.set('mallory', '{not json').set('eve', '[]');
    bench.hashes.set('users:0', new Map([['trudy', 'x']]));
    bench.hashes.get('rooms')?.set('phantom', 'NaN');
    bench.takeOver();
    expect(bench.roster()).toEqual(['alice']);
    expect([...(bench.hashes.get('room:general')?.keys() ?? [])]).toEqual(['alice']);
    expect([...(bench.hashes.get('rooms')?.keys() ?? [])]).toEqual(['general']);
  });
});
