/** Redis returns with older data: edges report lost messages, and rooms without a loss continue (docs/decisions/0007). */
import { HubbubClient } from '@hubbub/client';
import { HubbubError } from '@hubbub/protocol';
import { connectHubbub } from '@hubbub/server';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { enter, joinAt, messages, metric, position, resume, startWithHistory } from './support.js';

const QUICK = { HUBBUB_REDIS_COMMAND_TIMEOUT_MS: '1000', HUBBUB_HISTORY_CHECK_INTERVAL_MS: '200' };
const ROOM = 'chat:general';

type Client = Awaited<ReturnType<typeof enter>>;

async function startChat(edges = 2) {
  const redis = await startRedis({ own: true, args: ['--enable-protected-configs', 'yes'] });
  return { redis, cluster: await startWithHistory({ redis, edges, env: QUICK }) };
}

/** Enters when the edge has found the new Redis on all its connections. */
function enterAgain(...session: Parameters<typeof enter>): Promise<Client> {
  return eventually(async () => {
    const client = await enter(...session);
    return (await joinAt(client, 'chat:other')).type === 'ack' && client;
  });
}

/** Publishes a message for each number, again until Redis takes it. */
async function say(client: Client, ...numbers: number[]): Promise<void> {
  for (const n of numbers) {
    await eventually(async () => {
      const message = { type: 'send_message', room: ROOM, message_id: `${client.name}-${n}`, payload: { n } };
      return (await client.ask(message)).type === 'ack';
    });
  }
}

/** Ends Redis and starts it with the data of the last SAVE, or of `restart` with `keepData`. */
async function rewind(redis: TestRedis): Promise<void> {
  await redis.cli('CONFIG', 'SET', 'dbfilename', 'later.rdb'); // Not what the next start reads.
  await redis.restart({ keepData: true });
}

const heard = (client: Client) => messages(client, ROOM).map(({ offset, payload }) => `${offset}:${payload?.n}`);

describe('Redis restarts from an older dump', () => {
  test('while no edge holds the room: clients learn whether they had more than what is left', async () => {
    const { redis, cluster } = await startChat();
    const writer = await enter(cluster, cluster.edge(0), 'writer');
    const { epoch } = position(await joinAt(writer, ROOM));
    await say(writer, 1, 2, 3, 4, 5);
    await redis.cli('SAVE');
    await say(writer, 6, 7, 8);
    await writer.close();
    await rewind(redis);
    const second = await enterAgain(cluster, cluster.edge(1), 'second');
    await joinAt(second, ROOM);
    await say(second, 16, 17, 18);

    const ahead = await enterAgain(cluster, cluster.edge(0), 'ahead');
    const [lost] = await resume(ahead, { [ROOM]: { epoch, offset: 8 } });
    expect(lost).toMatchObject({ offset: 8, recovered: false, reason: 'new_epoch' });
    expect(lost).not.toMatchObject({ epoch });

    for (const [encoding, edge] of [
      ['json', 0],
      ['msgpack', 1],
    ] as const) {
      const behind = await enterAgain(cluster, cluster.edge(edge), `behind-${edge}`, encoding);
      const [answer] = await resume(behind, { [ROOM]: { epoch, offset: 4 } });
      expect(answer).toEqual({ ...(lost as object), recovered: true, reason: undefined });
      expect(heard(behind)).toEqual(['5:5', '6:16', '7:17', '8:18']);
      expect(new Set(messages(behind, ROOM).map(frame => frame.epoch)).size).toBe(1);
      expect(await behind.nextFrame('room_offset')).toMatchObject({ offset: 4, payload: { previous_epoch: epoch } });
    }
    await eventually(async () => (await metric(cluster.edge(0), 'hubbub_acknowledged_lost_total')) === 1);
  });

  test('while members are connected: only members that had more get a gap', async () => {
    const { redis, cluster } = await startChat(1);
    const network = await startTcpProxy({ to: redis.port });
    const slowEdge = await cluster.addEdge({ env: { HUBBUB_REDIS_URL: `redis://127.0.0.1:${network.port}` } });
    const writer = await enter(cluster, cluster.edge(0), 'writer');
    const ahead = await enter(cluster, cluster.edge(0), 'ahead', 'msgpack');
    const behind = await enter(cluster, slowEdge, 'behind');
    const { epoch } = position(await joinAt(writer, ROOM));
    for (const client of [ahead, behind]) await joinAt(client, ROOM);
    await say(writer, 1, 2, 3);
    await behind.nextFrame({ type: 'new_message', offset: 3 });
    network.sever();
    await say(writer, 4, 5);
    await redis.cli('SAVE');
    await say(writer, 6, 7, 8);
    await ahead.nextFrame({ type: 'new_message', offset: 8 });
    await rewind(redis);
    network.restore();
    await say(writer, 16, 17);

    const gap = await ahead.nextFrame('room_gap');
    expect(gap.payload).toMatchObject({ reason: 'new_epoch', offset: 5 });
    for (const client of [ahead, behind]) await client.nextFrame({ type: 'new_message', payload: { n: 17 } });
    expect(heard(ahead)).toEqual(['1:1', '2:2', '3:3', '4:4', '5:5', '6:6', '7:7', '8:8', '6:16', '7:17']);
    expect(heard(behind)).toEqual(['1:1', '2:2', '3:3', '4:4', '5:5', '6:16', '7:17']);
    await behind.noFrame('room_gap');
    const crossing = await behind.nextFrame('room_offset');
    expect(crossing).toMatchObject({ offset: 3, payload: { previous_epoch: epoch } });
    expect(crossing.epoch).toBe(gap.payload?.epoch);
  });

  test('twice, the second time from the first dump: only positions in both are recovered', async () => {
    const { redis, cluster } = await startChat();
    const writer = await enter(cluster, cluster.edge(0), 'writer');
    const first = position(await joinAt(writer, ROOM));
    await say(writer, 1, 2, 3);
    await redis.cli('SAVE');
    await say(writer, 4, 5);
    for (const round of [1, 2]) {
      await rewind(redis);
      await say(writer, 10 * round, 10 * round + 1);
      await writer.nextFrame('room_gap');
    }
    const client = await enterAgain(cluster, cluster.edge(1), 'client');
    const [kept] = await resume(client, { [ROOM]: { ...first, offset: 2 } });
    expect(kept).toMatchObject({ offset: 5, recovered: true });
    expect(heard(client)).toEqual(['3:3', '4:20', '5:21']);
    const late = await enterAgain(cluster, cluster.edge(1), 'late');
    const [lost] = await resume(late, { [ROOM]: { ...first, offset: 4 } });
    expect(lost).toMatchObject({ recovered: false, reason: 'new_epoch' });
  });
});

test('Redis restarts with everything: members continue in a new epoch, and no loss is reported', async () => {
  const { redis, cluster } = await startChat();
  const writer = await enter(cluster, cluster.edge(0), 'writer');
  const reader = await enter(cluster, cluster.edge(1), 'reader');
  const { epoch } = position(await joinAt(writer, ROOM));
  await joinAt(reader, ROOM);
  await say(writer, 1, 2, 3);
  await redis.restart({ keepData: true });
  await say(writer, 4, 5);
  await reader.nextFrame({ type: 'new_message', offset: 5 });
  expect(heard(reader)).toEqual(['1:1', '2:2', '3:3', '4:4', '5:5']);
  for (const member of [writer, reader]) {
    await member.nextFrame({ type: 'room_offset', payload: { previous_epoch: epoch } });
    await member.noFrame('room_gap');
  }
  expect(messages(reader, ROOM).at(-1)?.epoch).not.toBe(epoch);
  for (const edge of cluster.edges) expect(await metric(edge, 'hubbub_acknowledged_lost_total')).toBe(0);
});

test('clients of the SDK, and a service, notice what was lost, and nothing else', async () => {
  const { redis, cluster } = await startChat(1);
  const failures: unknown[] = [];
  const hubbub = connectHubbub({
    redisUrl: redis.url,
    redisPrefix: redis.prefix,
    onError: error => error instanceof HubbubError && failures.push([error.code, error.details]),
  });
  cleanup(() => hubbub.close());
  const client = new HubbubClient({ url: cluster.edge(0).wsUrl, token: cluster.token({ user: 'reader' }) });
  cleanup(() => client.close());
  const room = client.room(ROOM);
  const numbers: unknown[] = [];
  room.on('new_message', ({ payload }) => numbers.push(payload?.n));
  room.onGap(({ reason }) => numbers.push(reason));
  await client.connect();
  await room.join();
  const publish = (n: number) =>
    eventually(() => hubbub.publishToRoom(ROOM, { type: 'new_message', payload: { n }, idempotencyKey: `${n}` }));
  const { epoch } = await publish(1);
  await publish(2);
  await redis.restart({ keepData: true });
  await publish(3);
  await eventually(() => numbers.length === 3);
  expect([numbers, failures]).toEqual([[1, 2, 3], []]);
  await redis.cli('SAVE');
  const lost = await publish(4);
  await eventually(() => numbers.length === 4);
  await rewind(redis);
  await publish(5);
  await eventually(() => expect(numbers).toEqual([1, 2, 3, 4, 'new_epoch', 5]));
  expect(lost.epoch).not.toBe(epoch);
  await eventually(() => failures.length > 0);
  expect(failures).toEqual([['OUTCOME_UNKNOWN', { room: ROOM, epoch: lost.epoch, offset: 4, keptOffset: 3 }]]);
});
