/** Announcements to rooms and contents of rosters: the rules of presence, as stories of one partition. */
import { describe, expect, test } from 'vitest';
import { GRACE_MS, PartitionBench } from './support/partition-bench.js';

const EDGE_1 = 'edge-1/a';
const EDGE_2 = 'edge-2/a';

describe('joining and leaving', () => {
  test('the first session of a user joins, the others are notified, the joiner gets the roster', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1', 'alice');
    expect(bench.heard()).toEqual(['user_joined alice 1', 'room_info → edge-1 [s1] 1']);
    bench.join(EDGE_2, 's2', 'bob');
    expect(bench.announcements).toMatchObject([
      {
        type: 'user_joined',
        to: 'room',
        excludeSession: 's2',
        payload: { user: { id: 'bob', name: 'BOB' }, count: 2 },
      },
      {
        type: 'room_info',
        node: 'edge-2',
        sessions: ['s2'],
        payload: {
          room_id: 'general',
          count: 2,
          users: [
            { id: 'alice', name: 'ALICE' },
            { id: 'bob', name: 'BOB' },
          ],
        },
      },
    ]);
  });

  test('a user with several sessions joins once and leaves once (invariant 5)', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1', 'alice');
    bench.join(EDGE_1, 's2', 'alice');
    bench.join(EDGE_2, 's3', 'alice');
    bench.leave(EDGE_1, 's1', 'alice');
    bench.drop(EDGE_1, 's2', 'alice');
    bench.advance(2 * GRACE_MS);
    bench.leave(EDGE_2, 's3', 'alice');
    const events = bench.heard().filter(line => line.startsWith('user_'));
    expect(events).toEqual(['user_joined alice 1', 'user_left alice 0']);
    expect(bench.hashes.get('rooms')).toBeUndefined();
    expect(bench.hashes.get('room:general')).toBeUndefined();
  });

  test('a reconnect within the grace is invisible (invariant 5)', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1', 'alice');
    bench.heard();
    bench.drop(EDGE_1, 's1', 'alice');
    bench.advance(GRACE_MS - 1);
    expect(bench.roster()).toEqual(['alice']);
    bench.join(EDGE_2, 's2', 'alice');
    bench.advance(2 * GRACE_MS);
    expect(bench.heard()).toEqual(['room_info → edge-2 [s2] 1']);
  });

  test('after the grace the user leaves, and a later reconnect joins again', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1', 'alice');
    bench.drop(EDGE_1, 's1', 'alice');
    bench.heard();
    bench.advance(GRACE_MS);
    expect(bench.heard()).toEqual(['user_left alice 0']);
    bench.join(EDGE_1, 's2', 'alice');
    expect(bench.heard()[0]).toBe('user_joined alice 1');
  });

  test('an explicit leave has no grace; without a configured grace a drop has none either', () => {
    const bench = new PartitionBench({ namespace: { leaveGraceMs: 0 } });
    bench.join(EDGE_1, 's1', 'alice');
    bench.join(EDGE_1, 's2', 'bob');
    bench.heard();
    bench.leave(EDGE_1, 's1', 'alice');
    bench.drop(EDGE_1, 's2', 'bob');
    expect(bench.heard()).toEqual(['user_left alice 1', 'user_left bob 0']);
  });

  test('joining twice is answered twice and changes nothing', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1', 'alice');
    bench.heard();
    bench.join(EDGE_1, 's1', 'alice');
    expect(bench.heard()).toEqual(['room_info → edge-1 [s1] 1']);
  });

  test('reports about unknown sessions change nothing', () => {
    const bench = new PartitionBench();
    bench.leave(EDGE_1, 'nobody');
    bench.drop(EDGE_1, 'nobody');
    bench.report(EDGE_1, { kind: 'status', room: 'general', session: 's', user: 'u', status: 'x' });
    bench.report(EDGE_1, { kind: 'disconnect', session: 's', user: 'u' });
    bench.report(EDGE_1, { kind: 'exit', session: 's', user: 'u', room: 'general' });
    expect(bench.heard()).toEqual([]);
    expect([...bench.hashes.keys()].filter(name => name !== 'meta')).toEqual([]);
  });

  test('a member that drops, returns and drops again leaves when the second grace ends', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1', 'alice');
    bench.drop(EDGE_1, 's1', 'alice');
    bench.advance(GRACE_MS - 1000);
    bench.join(EDGE_1, 's2', 'alice');
    bench.drop(EDGE_1, 's2', 'alice');
    bench.heard();
    bench.advance(GRACE_MS - 1);
    expect(bench.heard()).toEqual([]);
    bench.advance(1);
    expect(bench.heard()).toEqual(['user_left alice 0']);
  });

  test('a status counts only from a session that is in the room', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1', 'alice');
    bench.heard();
    bench.report(EDGE_2, { kind: 'status', room: 'general', session: 's2', user: 'alice', status: 'busy' });
    expect(bench.heard()).toEqual([]);
    bench.join(EDGE_2, 's3', 'bob');
    expect(bench.announcements.at(-1)?.payload.users).toContainEqual({ id: 'alice', name: 'ALICE' });
  });

  test('flapping clients leave no more deadlines than members', () => {
    const bench = new PartitionBench({
      namespace: { keepMembers: { offlineAfterMs: 1000, expireAfterMs: 86_400_000 } },
    });
    bench.join(EDGE_1, 'w', 'witness');
    for (let flap = 0; flap < 500; flap++) {
      bench.report(EDGE_1, { kind: 'connect', session: `s${flap}`, user: 'alice' });
      bench.join(EDGE_1, `s${flap}`, 'alice');
      bench.drop(EDGE_1, `s${flap}`, 'alice');
      bench.report(EDGE_1, { kind: 'disconnect', session: `s${flap}`, user: 'alice' });
      bench.advance(flap % 2 === 0 ? 1500 : 10);
    }
    expect(bench.partition.deadlines).toBeLessThanOrEqual(2);
  });

  test('joiners of one batch share one roster per node, as of the end of the batch', () => {
    const bench = new PartitionBench();
    const join = (session: string) => ({
      kind: 'join' as const,
      room: 'general',
      session,
      user: session,
      name: session,
    });
    bench.report(EDGE_1, join('a'), join('b'), join('c'));
    expect(bench.heard().filter(line => line.startsWith('room_info'))).toEqual(['room_info → edge-1 [a b c] 3']);
  });
});

describe('versions', () => {
  test('go up by one with each change, and never go back after a room was empty', () => {
    const bench = new PartitionBench();
    const versions: number[] = [];
    for (let round = 0; round < 3; round++) {
      for (let user = 0; user < 5; user++) bench.join(EDGE_1, `s${user}`);
      for (let user = 0; user < 5; user++) bench.leave(EDGE_1, `s${user}`);
      bench.takeOver();
    }
    for (const { type, payload } of bench.announcements) {
      if (type.startsWith('user_')) versions.push(payload.version as number);
    }
    expect(versions).toHaveLength(30);
    for (let at = 1; at < versions.length; at++) expect(versions[at]).toBeGreaterThan(versions[at - 1] ?? 0);
    expect((versions[9] ?? 0) - (versions[0] ?? 0)).toBe(9);
  });
});

describe('users', () => {
  test('are online from their first session to a grace after the last; services are notified', () => {
    const bench = new PartitionBench();
    const report = (kind: 'connect' | 'disconnect', session: string) =>
      bench.report(EDGE_1, { kind, session, user: 'alice' });
    report('connect', 's1');
    report('connect', 's2');
    report('disconnect', 's1');
    expect(bench.partition.online).toBe(1);
    report('disconnect', 's2');
    bench.advance(GRACE_MS - 1);
    expect(bench.partition.online).toBe(1);
    bench.takeOver();
    bench.advance(1);
    expect(bench.partition.online).toBe(0);
    expect(bench.lifecycle.map(event => event.event)).toEqual(['user_online', 'user_offline']);
    expect([...bench.hashes.keys()].filter(name => name.startsWith('users:'))).toEqual([]);
  });

  test('that drop, return and drop again are online until the second grace ends', () => {
    const bench = new PartitionBench();
    const report = (kind: 'connect' | 'disconnect', session: string) =>
      bench.report(EDGE_1, { kind, session, user: 'alice' });
    report('connect', 's1');
    report('disconnect', 's1');
    bench.advance(GRACE_MS - 1000);
    report('connect', 's2');
    report('disconnect', 's2');
    bench.advance(GRACE_MS - 1);
    expect(bench.partition.online).toBe(1);
    bench.advance(1);
    expect(bench.lifecycle.map(event => event.event)).toEqual(['user_online', 'user_offline']);
  });

  test('that returned stay online when the earlier grace ends', () => {
    const bench = new PartitionBench();
    for (const [kind, session] of [
      ['connect', 's1'],
      ['disconnect', 's1'],
      ['connect', 's2'],
    ] as const) {
      bench.report(EDGE_1, { kind, session, user: 'alice' });
    }
    bench.advance(2 * GRACE_MS);
    expect(bench.partition.online).toBe(1);
    expect(bench.lifecycle.map(event => event.event)).toEqual(['user_online']);
  });

  test('are known with their sessions, nodes and rooms, over a takeover', () => {
    const bench = new PartitionBench();
    bench.report(EDGE_1, { kind: 'connect', session: 's1', user: 'alice' });
    bench.report(EDGE_2, { kind: 'connect', session: 's2', user: 'alice' });
    for (const room of ['a', 'b', 'c']) bench.report(EDGE_1, { kind: 'enter', session: 's1', user: 'alice', room });
    bench.report(EDGE_1, { kind: 'exit', session: 's1', user: 'alice', room: 'b' });
    bench.takeOver();
    const sessions = bench.partition.users.get('alice')?.sessions;
    expect(sessions?.get('s1')?.rooms).toEqual(['a', 'c']);
    expect(sessions?.get('s2')?.rooms).toEqual([]);
    expect(sessions?.get('s1')?.incarnation).not.toBe(sessions?.get('s2')?.incarnation);
  });

  test('rooms are occupied and vacated once', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1');
    bench.join(EDGE_1, 's2');
    bench.leave(EDGE_1, 's1');
    bench.leave(EDGE_1, 's2');
    expect(bench.lifecycle).toMatchObject([
      { event: 'room_occupied', room: 'general' },
      { event: 'room_vacated', room: 'general' },
    ]);
  });
});

describe('members, where services subscribe to their events', () => {
  const AWAY = { offlineAfterMs: 1000, expireAfterMs: 10_000 };

  test('join, leave and drop, with the reason', () => {
    const bench = new PartitionBench({ namespace: { memberEvents: true } });
    bench.join(EDGE_1, 's1', 'alice');
    bench.join(EDGE_2, 's2', 'alice');
    bench.join(EDGE_1, 's3', 'bob');
    bench.leave(EDGE_1, 's1', 'alice');
    bench.leave(EDGE_2, 's2', 'alice');
    bench.drop(EDGE_1, 's3', 'bob');
    bench.advance(GRACE_MS);
    expect(bench.lifecycle.filter(({ event }) => event.startsWith('member_'))).toMatchObject([
      { event: 'member_joined', room: 'general', user: 'alice' },
      { event: 'member_joined', room: 'general', user: 'bob' },
      { event: 'member_left', room: 'general', user: 'alice', reason: 'left' },
      { event: 'member_left', room: 'general', user: 'bob', reason: 'dropped' },
    ]);
  });

  test('that are kept go offline, return, and expire', () => {
    const bench = new PartitionBench({ namespace: { memberEvents: true, keepMembers: AWAY } });
    bench.join(EDGE_1, 's1', 'alice');
    bench.drop(EDGE_1, 's1', 'alice');
    bench.advance(AWAY.offlineAfterMs);
    bench.join(EDGE_2, 's2', 'alice');
    bench.drop(EDGE_2, 's2', 'alice');
    bench.advance(AWAY.offlineAfterMs);
    bench.advance(AWAY.expireAfterMs);
    const events = bench.lifecycle.map(({ event }) => event).filter(event => event.startsWith('member_'));
    expect(events).toEqual(['member_joined', 'member_offline', 'member_online', 'member_offline', 'member_left']);
  });

  test('are not announced elsewhere', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1', 'alice');
    bench.leave(EDGE_1, 's1', 'alice');
    expect(bench.lifecycle.some(({ event }) => event.startsWith('member_'))).toBe(false);
  });
});
