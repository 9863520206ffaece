/** The users and members of dead edges: removed a slice at a time, each once, unless they have a session elsewhere. */
import { describe, expect, test } from 'vitest';
import { GRACE_MS, PartitionBench } from './support/partition-bench.js';

const EDGE_1 = 'edge-1/a';
const EDGE_2 = 'edge-2/a';
const connect = (session: string, user = session) => ({ kind: 'connect', session, user }) as const;
const offline = (bench: PartitionBench) =>
  bench.lifecycle.filter(({ event }) => event === 'user_offline').map(event => 'user' in event && event.user);

describe('after the death of an edge', () => {
  test('its users are offline after the grace, unless they have a session elsewhere', () => {
    const bench = new PartitionBench();
    bench.report(EDGE_1, connect('s1', 'alice'), connect('s2', 'bob'));
    bench.report(EDGE_2, connect('s3', 'alice'), connect('s4', 'carol'));
    bench.report('presence', { kind: 'node_gone', gone: EDGE_1 });
    bench.advance(GRACE_MS - 1);
    expect([bench.partition.online, offline(bench)]).toEqual([3, []]);
    bench.advance(GRACE_MS);
    expect([bench.partition.online, offline(bench)]).toEqual([2, ['bob']]);
    expect([...(bench.partition.users.get('alice')?.sessions.keys() ?? [])]).toEqual(['s3']);
  });

  test('one tick removes at most the limit of sessions, members before users, each once', () => {
    const bench = new PartitionBench({ namespace: { leaveGraceMs: 60_000 }, rules: { userGraceMs: 60_000 } });
    const sessions = ['s1', 's2', 's3', 's4'];
    bench.report(EDGE_1, ...sessions.map(session => connect(session)));
    for (const session of sessions) bench.join(EDGE_1, session);
    bench.partition.apply('presence', { kind: 'node_gone', gone: EDGE_1 }, bench.nowMs);
    const left = (): number[] => {
      const members = [...(bench.partition.rooms.get('general')?.members.values() ?? [])];
      return [
        members.reduce((sum, member) => sum + member.sessions.size, 0),
        [...bench.partition.users.values()].reduce((sum, user) => sum + user.sessions.size, 0),
      ];
    };
    const seen = [left()];
    while (bench.partition.nextTickMs === 0) {
      bench.partition.tick(bench.nowMs, 3);
      seen.push(left());
    }
    expect(seen).toEqual([
      [4, 4],
      [1, 4],
      [0, 2],
      [0, 0],
    ]);
    bench.commit();
    expect(bench.partition.incarnations).toEqual([]);
    expect([...(bench.hashes.get('meta')?.keys() ?? [])].filter(field => field.startsWith('i'))).toEqual([]);
  });

  test('a new owner continues where the previous one stopped', () => {
    const bench = new PartitionBench();
    const sessions = ['s1', 's2', 's3'];
    bench.report(EDGE_1, ...sessions.map(session => connect(session)));
    for (const session of sessions) bench.join(EDGE_1, session);
    bench.partition.apply('presence', { kind: 'node_gone', gone: EDGE_1 }, bench.nowMs);
    bench.partition.tick(bench.nowMs, 4);
    bench.commit();
    bench.takeOver();
    bench.advance(GRACE_MS);
    expect([bench.roster(), bench.partition.online]).toEqual([[], 0]);
    expect(offline(bench).toSorted()).toEqual(sessions);
  });

  test('it is not listed as live', () => {
    const bench = new PartitionBench();
    bench.report(EDGE_1, connect('s1'));
    bench.report(EDGE_2, connect('s2'));
    expect(bench.partition.incarnations).toEqual([EDGE_1, EDGE_2]);
    bench.partition.apply('presence', { kind: 'node_gone', gone: EDGE_1 }, bench.nowMs);
    expect(bench.partition.incarnations).toEqual([EDGE_2]);
  });
});

describe('while the registry is restored after a loss', () => {
  const RESTORING_MS = 60_000;
  const resync = (bench: PartitionBench, edge: string, session: string, user: string): void =>
    bench.join(edge, session, user, 'general', { resync: true });

  test('a new owner knows of the restoration, and which leaves were announced meanwhile', () => {
    const bench = new PartitionBench({ restoringMs: RESTORING_MS });
    resync(bench, EDGE_2, 's0', 'witness');
    resync(bench, EDGE_1, 's1', 'alice');
    bench.report('presence', { kind: 'node_gone', gone: EDGE_1 });
    bench.advance(GRACE_MS);
    bench.takeOver();
    bench.heard();
    resync(bench, EDGE_2, 's2', 'bob');
    expect(bench.heard(), 'was there before the loss').toEqual(['room_info 2']);
    resync(bench, 'edge-1/b', 's1', 'alice');
    expect(bench.heard()[0], 'was announced to have left').toBe('user_joined alice 3');
  });

  test('services are not notified of members that were there before', () => {
    const bench = new PartitionBench({ restoringMs: RESTORING_MS, namespace: { memberEvents: true } });
    resync(bench, EDGE_1, 's1', 'alice');
    bench.join(EDGE_1, 's2', 'bob');
    const joined = bench.lifecycle.filter(({ event }) => event === 'member_joined');
    expect(joined).toMatchObject([{ user: 'bob' }]);
  });

  test('its state is dropped when it ends', () => {
    const bench = new PartitionBench({ restoringMs: RESTORING_MS });
    resync(bench, EDGE_2, 's0', 'witness');
    for (const user of ['alice', 'bob']) {
      resync(bench, EDGE_1, user, user);
      bench.leave(EDGE_1, user, user);
    }
    const remembered = () => [...(bench.hashes.get('meta')?.keys() ?? [])].filter(field => field.startsWith('l'));
    expect(remembered()).toHaveLength(2);
    bench.advance(RESTORING_MS - 1);
    expect(remembered()).toHaveLength(2);
    bench.takeOver();
    bench.advance(1);
    expect(remembered()).toEqual([]);
    bench.leave(EDGE_2, 's0', 'witness');
    expect(remembered(), 'after the end nothing is remembered').toEqual([]);
  });
});
