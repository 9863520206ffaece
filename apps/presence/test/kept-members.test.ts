/** Members that are kept while offline: each user may fill a bounded number of places in a partition. */
import { expect, test } from 'vitest';
import { type BenchOptions, PartitionBench } from './support/partition-bench.js';

const EDGE = 'edge-1/a';
const KEPT = { offlineAfterMs: 1000, expireAfterMs: 86_400_000 };

function benchOf(maxKeptRoomsPerUser: number, more: BenchOptions['namespace'] = {}): PartitionBench {
  return new PartitionBench({ namespace: { keepMembers: KEPT, ...more }, rules: { maxKeptRoomsPerUser } });
}

/** Joins the rooms with one session, then ends its connection. */
function visit(bench: PartitionBench, user: string, ...rooms: string[]): void {
  for (const room of rooms) bench.join(EDGE, `${user} in ${room}`, user, room);
  for (const room of rooms) {
    bench.nowMs++;
    bench.drop(EDGE, `${user} in ${room}`, user, room);
  }
}

function roomsOf(bench: PartitionBench, user: string): string[] {
  return [...bench.partition.rooms.values()].filter(({ members }) => members.has(user)).map(({ name }) => name);
}

test('an offline user is kept in the most recently left rooms, and leaves the others', () => {
  const bench = benchOf(2, { memberEvents: true });
  bench.join(EDGE, 'w', 'witness', 'r1');
  bench.heard();
  visit(bench, 'alice', 'r1', 'r2', 'r3');
  expect(roomsOf(bench, 'alice')).toEqual(['r2', 'r3']);
  expect(bench.heard()).toContain('user_left alice 1');
  expect(bench.lifecycle.find(({ event }) => event === 'member_left')).toMatchObject({ room: 'r1', reason: 'dropped' });
  bench.advance(KEPT.offlineAfterMs);
  visit(bench, 'alice', 'r4');
  expect(roomsOf(bench, 'alice')).toEqual(['r3', 'r4']);
  expect(bench.keptMembersRemoved).toBe(2);
});

test('a room that the user rejoined does not count, and is the newest when it is left again', () => {
  const bench = benchOf(2);
  visit(bench, 'alice', 'r1', 'r2');
  bench.join(EDGE, 's', 'alice', 'r1');
  visit(bench, 'alice', 'r3');
  expect(roomsOf(bench, 'alice')).toEqual(['r1', 'r2', 'r3']);
  bench.drop(EDGE, 's', 'alice', 'r1');
  expect(roomsOf(bench, 'alice')).toEqual(['r1', 'r3']);
});

test('rooms that the user left, or that expired, do not count', () => {
  const bench = benchOf(2);
  visit(bench, 'alice', 'r1');
  bench.advance(KEPT.offlineAfterMs + KEPT.expireAfterMs);
  visit(bench, 'alice', 'r2');
  bench.join(EDGE, 's', 'alice', 'r2');
  bench.leave(EDGE, 's', 'alice', 'r2');
  visit(bench, 'alice', 'r3', 'r4');
  expect(roomsOf(bench, 'alice')).toEqual(['r3', 'r4']);
  expect(bench.keptMembersRemoved).toBe(0);
});

test('the next owner of the partition keeps the order in which rooms were left', () => {
  const bench = benchOf(2);
  bench.join(EDGE, 'first', 'alice', 'r2');
  visit(bench, 'alice', 'r1');
  bench.nowMs++;
  bench.drop(EDGE, 'first', 'alice', 'r2');
  bench.takeOver();
  visit(bench, 'alice', 'r3');
  expect(roomsOf(bench, 'alice')).toEqual(['r2', 'r3']);
});

test('users do not use up the places of others, and 0 means no limit', () => {
  const bench = benchOf(1);
  visit(bench, 'alice', 'r1');
  visit(bench, 'bob', 'r1');
  expect(bench.roster('r1')).toEqual(['alice', 'bob']);
  const free = benchOf(0);
  visit(free, 'alice', ...Array.from({ length: 300 }, (_, room) => `r${room}`));
  expect(roomsOf(free, 'alice')).toHaveLength(300);
});
