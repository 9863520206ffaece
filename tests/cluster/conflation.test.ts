/** In a conflating namespace, slow readers stay, skip outdated messages, and end with the newest of each key. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, metricValue } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

const KEYS = ['eur', 'usd', 'gbp'];
const FILLER = 'x'.repeat(8192);
/** Far more than the kernel buffers for an unread connection: 64 MiB at 8 KiB each. */
const TICKS_MAX = 8000;
const BATCH = 50;
const TICKS_WHILE_BEHIND = 301;

async function start(): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'hubbub-conflation-'));
  cleanup(() => rm(directory, { recursive: true }));
  const config = join(directory, 'hubbub.json');
  const namespaces = { ticks: { public: true, conflate: true }, plain: { public: true } };
  await writeFile(config, JSON.stringify({ namespaces }));
  return await startCluster({ edges: 1, presence: 0, env: { HUBBUB_CONFIG: config } });
}

/** A ticker of a room, two listeners that stop reading, and one that reads. */
async function open(cluster: TestCluster, room: string) {
  const edge = cluster.edge(0);
  const person = (name: string, encoding: 'json' | 'msgpack' = 'json') =>
    connect(edge.wsUrl, { name, encoding, token: cluster.token({ user: name }) });
  const fast = await person('fast');
  const slow = [await person('slow'), await person('slow-msgpack', 'msgpack')];
  for (const member of [fast, ...slow]) await member.join(room);
  for (const member of slow) member.pauseReading();

  const redis = cluster.redis.connection();
  const channel = `${cluster.redis.prefix}:room:{${room}}`;
  let sent = 0;
  return {
    fast,
    slow,
    get sent() {
      return sent;
    },
    async tick(count: number): Promise<void> {
      for (let i = 0; i < count; i++) {
        const key = KEYS[sent % KEYS.length];
        sent++;
        const payload = { n: sent, key, filler: FILLER };
        await redis.publish(channel, JSON.stringify({ type: 'tick', key, id: `n${sent}`, payload }));
      }
      await fast.nextFrame({ type: 'tick', id: `n${sent}` });
    },
    async publish(message: object): Promise<void> {
      await redis.publish(channel, JSON.stringify(message));
    },
    metric: (name: string) => metricValue(edge, `hubbub_edge_${name}`),
  };
}

function numbers(client: RawClient): number[] {
  return client.frames.filter(({ type }) => type === 'tick').map(({ payload }) => payload?.n as number);
}

test('slow readers of a conflating room stay, and end with the newest of each key in the order of update', async () => {
  const room = await open(await start(), 'ticks:fx');
  while (room.sent < TICKS_MAX && (await room.metric('conflating_sessions')) < 2) await room.tick(BATCH);
  expect(await room.metric('conflating_sessions')).toBe(2);
  await room.tick(TICKS_WHILE_BEHIND);
  await room.publish({ type: 'notice', payload: { text: 'no key: not skipped' } });
  await room.tick(1);
  const last = room.sent;
  expect(await room.metric('slow_readers_total')).toBe(0);
  expect(await room.metric('conflated_messages_total')).toBeGreaterThan(TICKS_WHILE_BEHIND);

  for (const reader of room.slow) {
    reader.resumeReading();
    await reader.nextFrame({ type: 'tick', id: `n${last}` });
    const got = numbers(reader);
    expect(got.slice(-3), reader.name).toEqual([last - 2, last - 1, last]);
    expect(got, 'in order and once').toEqual([...new Set(got)].sort((a, b) => a - b));
    // The messages in the kernel's buffer before the reader was behind, and three more.
    expect(got.length).toBeLessThan(last - TICKS_WHILE_BEHIND + 3);
    const [beforeLast] = reader.frames.slice(-2);
    expect(beforeLast?.type, 'a message without a key keeps its place').toBe('notice');
    console.log(`${reader.name}: ${got.length} of ${last}`);
  }
  expect(numbers(room.fast)).toEqual(Array.from({ length: last }, (_, i) => i + 1));

  // Afterwards every message arrives again, once.
  await eventually(async () => (await room.metric('conflating_sessions')) === 0);
  await room.tick(6);
  for (const reader of room.slow) {
    await reader.nextFrame({ type: 'tick', id: `n${last + 6}` });
    expect(numbers(reader).slice(-7)).toEqual([0, 1, 2, 3, 4, 5, 6].map(n => last + n));
  }
});

test('a slow reader gets its backlog before the close of the room', async () => {
  const room = await open(await start(), 'ticks:fx');
  while (room.sent < TICKS_MAX && (await room.metric('conflating_sessions')) < 2) await room.tick(BATCH);
  await room.tick(TICKS_WHILE_BEHIND);
  await room.publish({ type: 'hubbub.close_room', payload: {} });
  await room.fast.nextFrame('room_closed');
  expect(await room.metric('conflating_sessions')).toBe(0);
  for (const reader of room.slow) {
    reader.resumeReading();
    await reader.nextFrame('room_closed');
    expect(numbers(reader).slice(-3)).toEqual([room.sent - 2, room.sent - 1, room.sent]);
    expect(reader.frames.at(-1)?.type).toBe('room_closed');
  }
});

test('a reader on a slow network falls behind and catches up repeatedly, and is never disconnected', async () => {
  const cluster = await start();
  const room = await open(cluster, 'ticks:fx');
  const edge = new URL(cluster.edge(0).wsUrl);
  const network = await startTcpProxy({ to: Number(edge.port) });
  const url = Object.assign(new URL(edge), { port: network.port }).href;
  const reader = await connect(url, { name: 'far', token: cluster.token({ user: 'far' }) });
  await reader.join('ticks:fx');
  network.behave({ bytesPerSecond: 4_000_000 });
  // A reader that catches up before a newer message arrives has skipped nothing yet.
  const skipped = () => (numbers(reader).at(-1) ?? 0) > numbers(reader).length;
  while (room.sent < TICKS_MAX && ((await room.metric('conflations_total')) < 5 || !skipped())) await room.tick(BATCH);
  expect(await room.metric('conflations_total')).toBeGreaterThanOrEqual(5);
  await reader.nextFrame({ type: 'tick', id: `n${room.sent}` });
  const got = numbers(reader);
  expect(got.slice(-3)).toEqual([room.sent - 2, room.sent - 1, room.sent]);
  expect(got, 'in order and once').toEqual([...new Set(got)].sort((a, b) => a - b));
  expect(got.length).toBeLessThan(room.sent);
  expect(await room.metric('slow_readers_total')).toBe(0);
  console.log(`far: ${got.length} of ${room.sent}`);
});

test('negative control: without conflation the same readers are disconnected', async () => {
  const room = await open(await start(), 'plain:fx');
  while (room.sent < TICKS_MAX && (await room.metric('slow_readers_total')) < 2) await room.tick(BATCH);
  expect(await room.metric('slow_readers_total')).toBe(2);
  for (const reader of room.slow) {
    reader.resumeReading();
    expect((await reader.closed).code).toBe(1006);
  }
});
