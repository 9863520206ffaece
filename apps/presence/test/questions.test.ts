/** Many roster requests: shared pages, commits of a bounded size, and no answers to abandoned requests. */

import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { OwnerBench, withFault } from './support/owner-bench.js';
import { PartitionBench } from './support/partition-bench.js';

const ask = (room: string, question: number, session = `s${question}`) =>
  ({ kind: 'roster', room, session, question }) as const;

test('sessions of a node that request the same page share one answer, each with its own request id', () => {
  const bench = new PartitionBench();
  bench.join('edge-1/a', 's0', 'alice');
  bench.heard();
  bench.report('edge-1/a', ask('general', 1), ask('general', 2), { ...ask('general', 3), after: 5 });
  bench.report('edge-2/a', ask('general', 1, 'other'));
  expect(bench.announcements.map(({ payload: _, ...answer }) => answer)).toMatchObject([
    { node: 'edge-1', sessions: ['s1', 's2'], questions: [1, 2] },
    { node: 'edge-1', sessions: ['s3'], questions: [3] },
    { node: 'edge-2', sessions: ['other'], questions: [1] },
  ]);
});

test('a request of an incarnation that was declared gone is answered, because its edge may live', () => {
  const bench = new PartitionBench();
  bench.report('presence', { kind: 'node_gone', gone: 'edge-1/a' });
  bench.report('edge-1/a', ask('general', 1));
  expect(bench.announcements).toMatchObject([{ type: 'online_users', node: 'edge-1', questions: [1] }]);
});

test('1,000 large answers are spread over commits of a bounded size', async () => {
  const bench = new OwnerBench();
  const sizes: number[] = [];
  bench.start('p1', {
    store: withFault(bench.store, {
      async commit(claim, commit) {
        sizes.push(commit.publications.reduce((sum, { head, body }) => sum + head.length + body.length, 0));
        return await bench.store.commit(claim, commit);
      },
    }),
  });
  const name = 'n'.repeat(120);
  for (let room = 0; room < 10; room++) {
    for (let user = 0; user < 100; user += 50) {
      const joins = Array.from({ length: 50 }, (_, n) => {
        const id = `u${user + n}`;
        return { kind: 'join', room: `room-${room}`, session: `${room}.${id}`, user: id, name } as const;
      });
      await bench.report('edge-1/a', ...joins);
    }
  }
  await eventually(() => bench.heard.filter(({ type }) => type === 'user_joined').length === 1000);
  bench.heard.length = 0;
  sizes.length = 0;
  // Each session requests a different page, so that pages cannot be shared.
  for (let round = 0; round < 10; round++) {
    const questions = Array.from({ length: 100 }, (_, n) => ({
      ...ask(`room-${round}`, round * 100 + n + 1),
      after: n % 20,
      session: `asker-${n}`,
    }));
    await bench.report(`edge-${round}/a`, ...questions);
  }
  const answered = () => bench.heard.flatMap(({ sessions = [] }) => sessions).length;
  await eventually(() => answered() === 1000, { describe: 'all are answered' });
  expect(Math.max(...sizes)).toBeLessThan(1_000_000);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(2_000_000);
});

test('a request that its edge has abandoned is not answered', () => {
  const bench = new PartitionBench();
  bench.partition.apply('edge-1/a', ask('general', 1), bench.nowMs);
  bench.nowMs += 5001;
  bench.commit();
  expect(bench.announcements).toEqual([]);
});
