/** Two thousand clients lose their edge simultaneously, each a hundred messages behind, and resume at another. */

import { eventually, readMetrics, sumByLabel } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';
import { historyEnvironment } from './numbered-stream.js';

const CLIENTS = 2000;
const ROOMS = 20;
const BEHIND = 100;

interface Position {
  readonly epoch: string;
  readonly offset: number;
}

test(`${CLIENTS} clients resume together, each ${BEHIND} messages behind: all are complete, and they share reads of Redis`, {
  timeout: 180_000,
}, async () => {
  const redis = await startRedis({ own: true });
  const cluster = await startCluster({ edges: 2, redis, env: historyEnvironment() });
  const roomOf = (index: number) => `kept:${index % ROOMS}`;
  const open = (edge: number, index: number) =>
    connect(cluster.edge(edge).wsUrl, { name: `client-${index}`, token: cluster.token({ user: `user-${index}` }) });

  const positions = await inBatches(CLIENTS, async index => {
    const client = await open(0, index);
    const { payload } = await client.ask({ type: 'join_room', payload: { room_id: roomOf(index) } });
    return payload as unknown as Position;
  });

  const publisher = await open(1, -1);
  await cluster.edge(0).process.kill('SIGKILL');
  for (let room = 0; room < ROOMS; room++) await publisher.join(roomOf(room));
  for (let n = 0; n < BEHIND; n++) {
    await Promise.all(
      Array.from({ length: ROOMS }, (_, room) =>
        publisher.ask({ type: 'send_message', room: roomOf(room), payload: { n } }),
      ),
    );
  }

  const before = await historyReads();
  const startedAt = performance.now();
  const wholeAfterMs = await inBatches(CLIENTS, async index => {
    const client = await open(1, index);
    const room_id = roomOf(index);
    const answer = await client.ask(
      { type: 'resume', payload: { rooms: [{ room_id, ...positions[index] }] } },
      { withinMs: 60_000 },
    );
    expect(answer.payload).toMatchObject({ rooms: [{ room_id, recovered: true }] });
    expect(numbersOf(client)).toEqual(Array.from({ length: BEHIND }, (_, n) => n));
    return performance.now() - startedAt;
  });
  const reads = (await historyReads()) - before;
  console.log(
    `${CLIENTS} clients × ${BEHIND} messages were whole after ${Math.max(...wholeAfterMs).toFixed(0)} ms with ${reads} reads of the histories of ${ROOMS} rooms`,
  );
  // One read per client would be 2,000. The window of a room is kept for 2 s after its last use, so few are needed.
  expect(reads).toBeLessThan(CLIENTS / 10);

  async function historyReads(): Promise<number> {
    const metrics = await readMetrics(cluster.edge(1));
    const reads = Object.values(sumByLabel(metrics, 'hubbub_edge_history_reads_total', 'purpose'));
    return reads.reduce((sum, count) => sum + count, 0);
  }
});

test.each([
  { guard: 'with its message_id arrives once', retryId: 'm1', arrivals: 1 },
  { guard: 'with another message_id arrives twice (the control)', retryId: 'm2', arrivals: 2 },
])('a publish that timed out on a frozen Redis and is sent again $guard', async ({ retryId, arrivals }) => {
  const redis = await startRedis({ own: true });
  const cluster = await startCluster({ edges: 2, redis, env: historyEnvironment() });
  const alice = await connect(cluster.edge(0).wsUrl, { name: 'alice', token: cluster.token({ user: 'alice' }) });
  const bob = await connect(cluster.edge(1).wsUrl, { name: 'bob', token: cluster.token({ user: 'bob' }) });
  for (const client of [alice, bob]) await client.join('kept:a');
  await redis.pause();
  const message = { type: 'send_message', room: 'kept:a', message_id: 'm1', payload: { n: 1 } };
  const refused = await alice.ask(message);
  expect(refused).toMatchObject({ type: 'error', payload: { code: 'OUTCOME_UNKNOWN' } });
  await redis.resume();
  const ack = await eventually(async () => {
    const answer = await alice.ask({ ...message, message_id: retryId });
    return answer.type === 'ack' && answer;
  });
  expect(ack.offset).toBe(arrivals);
  alice.send({ type: 'send_message', room: 'kept:a', message_id: 'last', payload: { n: 2 } });
  await bob.nextFrame({ type: 'new_message', id: 'last', offset: arrivals + 1 });
  expect(bob.frames.filter(({ payload }) => payload?.n === 1)).toHaveLength(arrivals);
});

function numbersOf(client: RawClient): unknown[] {
  return client.frames.filter(({ type }) => type === 'new_message').map(({ payload }) => payload?.n);
}

/** Connects all clients as fast as one process can: a few hundred simultaneous handshakes. */
async function inBatches<T>(count: number, task: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: 200 }, async () => {
      for (let index = next++; index < count; index = next++) results[index] = await task(index);
    }),
  );
  return results;
}
