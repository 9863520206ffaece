/** A new owner of a partition finds everything in the registry, even if others changed rows beside it. */
import { describe, expect, test } from 'vitest';
import { bucketOf } from '../src/partition/users.js';
import { GRACE_MS, PartitionBench } from './support/partition-bench.js';

const EDGE = 'edge-1/a';
const connect = (user: string) => ({ kind: 'connect', session: `of-${user}`, user }) as const;

/** Users that share a hash of the registry. */
function usersOfOneBucket(count: number): string[] {
  const users = Array.from({ length: 1000 }, (_, n) => `user-${n}`);
  return users.filter(user => bucketOf(user, 1) === bucketOf('user-0', 1)).slice(0, count);
}

describe('users of one bucket', () => {
  test('are all known, whether reported in one batch or one after another', () => {
    const [first = '', second = '', third = '', fourth = ''] = usersOfOneBucket(4);
    const bench = new PartitionBench();
    bench.report(EDGE, connect(first), connect(second));
    bench.report(EDGE, connect(third), connect(fourth));
    bench.report(EDGE, { kind: 'disconnect', session: `of-${fourth}`, user: fourth });
    bench.advance(GRACE_MS);
    bench.takeOver();
    expect([...bench.partition.users.values()].map(({ id }) => id).toSorted()).toEqual(
      [first, second, third].toSorted(),
    );
  });
});

test('incarnations keep their numbers over takeovers', () => {
  const bench = new PartitionBench();
  bench.join(EDGE, 's1', 'alice');
  for (let owner = 0; owner < 2; owner++) {
    bench.takeOver();
    bench.advance(60_000);
  }
  expect(bench.partition.incarnations).toEqual([EDGE]);
  bench.report('presence', { kind: 'node_gone', gone: EDGE });
  bench.advance(GRACE_MS);
  expect(bench.roster()).toEqual([]);
});

describe('a room that counts', () => {
  const enter = (threshold: number, members: number): PartitionBench => {
    const bench = new PartitionBench({ rules: { countThreshold: threshold, countIntervalMs: 2000 } });
    for (let n = 1; n <= members; n++) bench.join(EDGE, `s${n}`);
    bench.advance(10_000);
    bench.heard();
    return bench;
  };

  test('keeps counting down to nine tenths of the threshold, even over a takeover', () => {
    const bench = enter(10, 11);
    for (const session of ['s1', 's2']) bench.leave(EDGE, session);
    bench.takeOver();
    bench.advance(2000);
    bench.heard();
    bench.leave(EDGE, 's3');
    expect(bench.heard(), 'eight members hear names again').toEqual(['room_info 8']);
    const counting = enter(10, 11);
    counting.leave(EDGE, 's1');
    counting.takeOver();
    counting.advance(2000);
    counting.heard();
    counting.leave(EDGE, 's2');
    counting.advance(2000);
    expect(counting.heard(), 'nine members hear a count').toEqual(['room_count 9']);
  });

  test('gets at most one count per interval', () => {
    const bench = enter(2, 5);
    const counts: number[] = [];
    for (let ms = 0; ms < 10_000; ms += 100) {
      bench.join(EDGE, `late-${ms}`);
      bench.advance(100);
      counts.push(bench.heard().filter(line => line.startsWith('room_count')).length);
    }
    expect(counts.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(6);
    expect(counts.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(5);
  });

  test('gets no pending count after it gets names again', () => {
    const bench = enter(10, 11);
    bench.leave(EDGE, 's1');
    bench.leave(EDGE, 's2');
    bench.heard();
    bench.leave(EDGE, 's3');
    expect(bench.heard()).toEqual(['room_info 8']);
    bench.advance(10_000);
    expect(bench.heard()).toEqual([]);
  });
});
