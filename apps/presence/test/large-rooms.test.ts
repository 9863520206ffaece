/** Rooms too large for single joins, rosters too large for one frame, and namespaces that only count. */
import { describe, expect, test } from 'vitest';
import { GRACE_MS, PartitionBench } from './support/partition-bench.js';

const EDGE = 'edge-1/a';

function fill(bench: PartitionBench, users: number): void {
  for (let user = 1; user <= users; user++) bench.join(EDGE, `s${user}`);
}

describe('above the threshold', () => {
  test('a count replaces single joins and leaves, at most one every two seconds', () => {
    const bench = new PartitionBench({ rules: { countThreshold: 10 } });
    fill(bench, 10);
    bench.heard();
    bench.join(EDGE, 's11');
    expect(bench.heard()).toEqual(['room_count 11', 'room_info → edge-1 [s11] 11']);
    bench.join(EDGE, 's12');
    bench.leave(EDGE, 's1');
    bench.join(EDGE, 's13');
    expect(bench.heard().filter(line => !line.startsWith('room_info'))).toEqual([]);
    bench.advance(1999);
    expect(bench.heard()).toEqual([]);
    bench.advance(1);
    expect(bench.heard()).toEqual(['room_count 12']);
    bench.advance(10_000);
    expect(bench.heard()).toEqual([]);
  });

  test('a room that is small again gets its roster, then single changes', () => {
    const bench = new PartitionBench({ rules: { countThreshold: 10 } });
    fill(bench, 11);
    bench.heard();
    bench.leave(EDGE, 's1');
    bench.leave(EDGE, 's2');
    bench.leave(EDGE, 's3');
    expect(bench.heard()).toEqual(['room_info 8']);
    bench.leave(EDGE, 's4');
    expect(bench.heard()).toEqual(['user_left s4 7']);
  });

  test('a pending count survives a takeover', () => {
    const bench = new PartitionBench({ rules: { countThreshold: 10 } });
    fill(bench, 12);
    bench.heard();
    bench.takeOver();
    bench.advance(2000);
    expect(bench.heard()).toEqual(['room_count 12']);
  });
});

describe('a roster longer than a page', () => {
  test('is bounded, with the exact count, and online_users returns the further pages', () => {
    const bench = new PartitionBench({ rules: { rosterPageSize: 3 } });
    fill(bench, 7);
    const info = bench.announcements.findLast(({ type }) => type === 'room_info')?.payload;
    expect(info).toMatchObject({ count: 7, next: 3 });
    expect(info?.users).toHaveLength(3);
    const seen: string[] = [];
    let after: number | undefined;
    do {
      bench.announcements.length = 0;
      bench.report(EDGE, {
        kind: 'roster',
        room: 'general',
        session: 's1',
        question: 7,
        ...(after !== undefined && { after }),
      });
      const [answer] = bench.announcements;
      expect(answer).toMatchObject({ type: 'online_users', questions: [7], sessions: ['s1'], node: 'edge-1' });
      const users = (answer?.payload.users ?? []) as { id: string }[];
      seen.push(...users.map(user => user.id));
      after = answer?.payload.next as number | undefined;
    } while (after !== undefined);
    expect(seen).toEqual(['s1', 's2', 's3', 's4', 's5', 's6', 's7']);
  });

  test('an empty room is not an error', () => {
    const bench = new PartitionBench();
    bench.report(EDGE, { kind: 'roster', room: 'nowhere', session: 's1', question: 1 });
    expect(bench.announcements[0]?.payload).toEqual({ room_id: 'nowhere', users: [], count: 0, version: 0 });
  });
});

describe('namespaces', () => {
  test('counts: no user is named', () => {
    const bench = new PartitionBench({ namespace: { presence: 'counts' } });
    bench.join(EDGE, 's1');
    expect(bench.heard()).toEqual(['room_count 1']);
    bench.report(EDGE, { kind: 'roster', room: 'general', session: 's1', question: 1 });
    expect(bench.announcements[0]?.payload).toMatchObject({ users: [], count: 1 });
  });

  test('counts: a joiner gets the count once, with the room or individually', () => {
    const bench = new PartitionBench({ namespace: { presence: 'counts' } });
    bench.join(EDGE, 's1');
    expect(bench.heard(), 'the room hears the count, the joiner with it').toEqual(['room_count 1']);
    bench.join(EDGE, 's2');
    expect(bench.heard(), 'the next count of the room is not due yet').toEqual(['room_count → edge-1 [s2] 2']);
  });

  test('a joiner gets the roster once if the whole room gets it in the same batch', () => {
    const bench = new PartitionBench({ restoringMs: 10_000 });
    const join = (session: string, resync: boolean) =>
      ({ kind: 'join', room: 'general', session, user: session, name: session, ...(resync && { resync }) }) as const;
    bench.report(EDGE, join('s1', true), join('s2', false));
    expect(bench.heard().filter(heard => heard.startsWith('room_info'))).toEqual(['room_info 2']);
  });

  test('off: presence stores and announces nothing', () => {
    const bench = new PartitionBench({ namespace: { presence: 'off' } });
    bench.join(EDGE, 's1');
    bench.leave(EDGE, 's1');
    expect(bench.heard()).toEqual([]);
    expect(bench.hashes.get('rooms')).toBeUndefined();
  });

  test('members that dropped are kept, shown as offline after the silence, and leave by themselves or by expiry', () => {
    const bench = new PartitionBench({
      namespace: { keepMembers: { offlineAfterMs: 30_000, expireAfterMs: 600_000 } },
    });
    bench.join(EDGE, 's1', 'host');
    bench.join(EDGE, 's2', 'player');
    bench.heard();
    bench.drop(EDGE, 's1', 'host');
    bench.advance(29_999);
    expect(bench.heard()).toEqual([]);
    bench.advance(1);
    expect(bench.announcements[0]).toMatchObject({
      type: 'user_status',
      payload: { user: { id: 'host', online: false, last_seen: new Date(bench.nowMs - 30_000).toISOString() } },
    });
    bench.heard();
    bench.takeOver();
    bench.report(EDGE, { kind: 'roster', room: 'general', session: 's2', question: 1 });
    const lastSeen = new Date(bench.nowMs - 30_000).toISOString();
    expect(bench.announcements[0]?.payload.users).toContainEqual(
      expect.objectContaining({ id: 'host', online: false, last_seen: lastSeen }),
    );
    bench.heard();
    bench.join(EDGE, 's3', 'host');
    const back = bench.announcements[0];
    expect(back).toMatchObject({ type: 'user_status', payload: { user: { id: 'host', name: 'HOST' } } });
    expect(back?.payload.user).not.toHaveProperty('online');
    expect(back?.payload.user).not.toHaveProperty('last_seen');
    bench.heard();
    bench.drop(EDGE, 's3', 'host');
    bench.advance(630_000);
    expect(bench.heard()).toEqual(['user_status host', 'user_left host 1']);
    bench.leave(EDGE, 's2', 'player');
    expect(bench.heard()).toEqual(['user_left player 0']);
  });
});

describe('sessions of one user', () => {
  const connect = (bench: PartitionBench, session: string, edge = EDGE) =>
    bench.report(edge, { kind: 'connect', session, user: 'alice' });

  test('above the limit are refused at their edge and not registered; an ended session frees its place', () => {
    const bench = new PartitionBench({ rules: { maxSessionsPerUser: 2 } });
    for (const session of ['s1', 's2', 's3']) connect(bench, session);
    bench.report(EDGE, { kind: 'enter', session: 's3', user: 'alice', room: 'general' });
    expect(bench.refused).toEqual([{ node: 'edge-1', session: 's3' }]);
    expect([...(bench.partition.users.get('alice')?.sessions.keys() ?? [])]).toEqual(['s1', 's2']);
    bench.report(EDGE, { kind: 'disconnect', session: 's1', user: 'alice' });
    bench.takeOver();
    connect(bench, 's4');
    expect(bench.refused).toHaveLength(1);
    connect(bench, 's5');
    expect(bench.refused).toHaveLength(2);
  });

  test('count once when they are reported again under a new incarnation; without a limit every session is accepted', () => {
    const bench = new PartitionBench({ rules: { maxSessionsPerUser: 2 } });
    for (const session of ['s1', 's2']) connect(bench, session);
    for (const session of ['s1', 's2']) connect(bench, session, 'edge-1/b');
    expect(bench.refused).toEqual([]);
    const free = new PartitionBench({ rules: { maxSessionsPerUser: 0 } });
    for (let session = 0; session < 200; session++) connect(free, `s${session}`);
    expect(free.refused).toEqual([]);
  });
});

describe('status', () => {
  test('appears in rosters, is announced when it changes, and survives a takeover', () => {
    const bench = new PartitionBench();
    bench.join(EDGE, 's1', 'alice');
    bench.heard();
    const set = (status: string | undefined) =>
      bench.report(EDGE, {
        kind: 'status',
        room: 'general',
        session: 's1',
        user: 'alice',
        ...(status !== undefined && { status }),
      });
    set('busy');
    expect(bench.announcements[0]).toMatchObject({
      type: 'user_status',
      payload: { user: { id: 'alice', status: 'busy' } },
    });
    bench.heard();
    set('busy');
    expect(bench.heard()).toEqual([]);
    bench.takeOver();
    bench.drop(EDGE, 's1', 'alice');
    bench.advance(GRACE_MS / 2);
    bench.join(EDGE, 's2', 'bob');
    expect(bench.announcements.at(-1)?.payload.users).toEqual([
      { id: 'alice', name: 'ALICE', status: 'busy' },
      { id: 'bob', name: 'BOB' },
    ]);
  });
});
