/** Corner cases of a partition: repeated reports, old rows, clocks that go back, counts. */
import { describe, expect, test } from 'vitest';
import { bucketOf, USER_BUCKETS } from '../src/partition/users.js';
import { GRACE_MS, PartitionBench } from './support/partition-bench.js';

const EDGE_1 = 'edge-1/a';
const EDGE_2 = 'edge-2/a';

describe('a user', () => {
  const user = 'alice';

  test('with a remaining session stays online, however long ago another one ended', () => {
    const bench = new PartitionBench();
    for (const session of ['s1', 's2']) bench.report(EDGE_1, { kind: 'connect', session, user });
    bench.report(EDGE_1, { kind: 'disconnect', session: 's1', user });
    bench.advance(2 * GRACE_MS);
    expect(bench.partition.online).toBe(1);
  });

  test('in its grace stays online over a takeover, until the grace ends', () => {
    const bench = new PartitionBench();
    bench.report(EDGE_1, { kind: 'connect', session: 's1', user });
    bench.report(EDGE_1, { kind: 'disconnect', session: 's1', user });
    bench.advance(1000);
    bench.takeOver();
    bench.advance(GRACE_MS - 1001);
    expect(bench.partition.online).toBe(1);
    bench.advance(1);
    expect(bench.partition.online).toBe(0);
  });

  test('is in a room once, however often that is reported, and stays in all others', () => {
    const bench = new PartitionBench();
    bench.report(EDGE_1, { kind: 'connect', session: 's1', user });
    const report = (kind: 'enter' | 'exit', room: string) => bench.report(EDGE_1, { kind, session: 's1', user, room });
    for (const room of ['a', 'b', 'a', 'b']) report('enter', room);
    const rooms = () => bench.partition.users.get(user)?.sessions.get('s1')?.rooms;
    expect(rooms()).toEqual(['a', 'b']);
    report('exit', 'elsewhere');
    expect(rooms()).toEqual(['a', 'b']);
    report('exit', 'a');
    expect(rooms()).toEqual(['b']);
  });

  test('is in one of the buckets, which fill evenly', () => {
    const counts = new Array<number>(USER_BUCKETS).fill(0);
    for (let n = 0; n < 6400; n++) {
      const bucket = bucketOf(`user-${n}`, 16);
      expect(counts[bucket]).toBeDefined();
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(40);
    expect(Math.max(...counts)).toBeLessThan(200);
  });
});

describe('a room', () => {
  test('that opens over old rows of the registry has only its own', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's0', 'witness', 'other');
    bench.hashes.set('room:general', new Map([['ghost', '[0,1,"s9"]']]));
    bench.join(EDGE_1, 's1', 'alice');
    bench.takeOver();
    expect(bench.roster()).toEqual(['alice']);
  });

  test('has no lower version when it reopens after the clock was set back', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1', 'alice');
    bench.leave(EDGE_1, 's1', 'alice');
    const before = Number(bench.announcements.at(-1)?.payload.version);
    bench.nowMs -= 3_600_000;
    bench.join(EDGE_1, 's1', 'alice');
    expect(bench.announcements.at(-1)?.payload.version).toBeGreaterThan(before);
  });

  test('begins with the clock as its version, so that even an owner without a registry counts from a higher one', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1', 'alice');
    expect(bench.announcements.at(-1)?.payload.version).toBeGreaterThan(bench.nowMs);
  });

  test('has a higher version after each status', () => {
    const bench = new PartitionBench();
    bench.join(EDGE_1, 's1', 'alice');
    for (const status of ['busy', 'away']) {
      const before = bench.partition.rooms.get('general')?.version ?? 0;
      bench.report(EDGE_1, { kind: 'status', room: 'general', session: 's1', user: 'alice', status });
      expect(bench.partition.rooms.get('general')?.version).toBe(before + 1);
    }
  });

  test('that counts gets no statuses', () => {
    const bench = new PartitionBench({ namespace: { presence: 'counts' } });
    bench.join(EDGE_1, 's1', 'alice');
    bench.heard();
    bench.report(EDGE_1, { kind: 'status', room: 'general', session: 's1', user: 'alice', status: 'busy' });
    expect(bench.heard()).toEqual([]);
  });

  test('that counts has one pending count, even over a takeover', () => {
    const bench = new PartitionBench({ namespace: { presence: 'counts' }, rules: { countIntervalMs: 2000 } });
    for (const session of ['s1', 's2', 's3']) bench.join(EDGE_1, session);
    bench.heard();
    bench.takeOver();
    bench.advance(1999);
    expect(bench.heard()).toEqual([]);
    bench.advance(1);
    expect(bench.heard()).toEqual(['room_count 3']);
    bench.advance(60_000);
    expect(bench.heard()).toEqual([]);
  });

  test('shows a kept member as online, without last_seen, within the grace', () => {
    const bench = new PartitionBench({
      namespace: { keepMembers: { offlineAfterMs: 1000, expireAfterMs: 10_000 } },
    });
    bench.join(EDGE_1, 's1', 'alice');
    bench.drop(EDGE_1, 's1', 'alice');
    bench.join(EDGE_2, 's2', 'bob');
    expect(bench.announcements.at(-1)?.payload.users).toContainEqual({ id: 'alice', name: 'ALICE' });
  });
});

describe('the status of a member with several sessions', () => {
  test('is the last one set; a repeated one does not count as set', () => {
    const bench = new PartitionBench();
    const set = (session: string, status?: string): unknown => {
      const report = { kind: 'status', room: 'general', session, user: 'alice' } as const;
      bench.report(EDGE_1, { ...report, ...(status !== undefined && { status }) });
      return bench.partition.rooms.get('general')?.members.get('alice')?.status;
    };
    for (const session of ['s1', 's2']) bench.join(EDGE_1, session, 'alice');
    expect(set('s1', 'busy')).toBe('busy');
    expect(set('s2', 'away')).toBe('away');
    expect(set('s1', 'busy'), 'a resync repeats it').toBe('away');
    expect(set('s1', 'lunch')).toBe('lunch');
    expect(set('s1'), 'taken back').toBe('away');
    expect(set('s2')).toBeUndefined();
  });
});

test('services are notified when a member that was away is online again, and not of other changes', () => {
  const bench = new PartitionBench({
    namespace: { memberEvents: true, keepMembers: { offlineAfterMs: 1000, expireAfterMs: 10_000 } },
  });
  const join = (session: string, status?: string): void =>
    bench.report(EDGE_1, {
      kind: 'join',
      room: 'general',
      session,
      user: 'alice',
      name: 'ALICE',
      ...(status !== undefined && { status }),
    });
  join('s1');
  join('s2', 'busy');
  const events = () => bench.lifecycle.map(({ event }) => event).filter(event => event.startsWith('member_'));
  expect(events()).toEqual(['member_joined']);
  for (const session of ['s1', 's2']) bench.drop(EDGE_1, session, 'alice');
  bench.advance(1000);
  join('s3');
  expect(events()).toEqual(['member_joined', 'member_offline', 'member_online']);
});

test('a tick executes at most the limit of deadlines', () => {
  const bench = new PartitionBench();
  for (const session of ['s1', 's2', 's3', 's4', 's5']) {
    bench.join(EDGE_1, session);
    bench.drop(EDGE_1, session);
  }
  bench.nowMs += GRACE_MS;
  bench.partition.tick(bench.nowMs, 2);
  expect(bench.roster()).toHaveLength(3);
  expect(bench.partition.nextTickMs).toBeLessThanOrEqual(bench.nowMs);
});

test('a batch that changed nothing is not committed', () => {
  const bench = new PartitionBench();
  bench.report(EDGE_1, { kind: 'leave', room: 'general', session: 's1', user: 'alice' });
  bench.partition.takeEffects();
  expect(bench.partition.takeEffects()).toBeUndefined();
});

test('counts members over all rooms, a user in two rooms twice', () => {
  const bench = new PartitionBench();
  bench.join(EDGE_1, 's1', 'alice', 'a');
  bench.join(EDGE_1, 's1', 'alice', 'b');
  bench.join(EDGE_1, 's2', 'bob', 'b');
  expect([bench.partition.rosterUsers, bench.partition.rooms.size]).toEqual([3, 2]);
});
