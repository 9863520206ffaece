/** The order of the answers to frames that a session sends together. */
import { beforeAll, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';
import { startRedis, type TestRedis } from '../support/redis.js';

let redis: TestRedis;
let cluster: TestCluster;

beforeAll(async () => {
  redis = await startRedis({ own: true });
  cluster = await startCluster({
    edges: 1,
    redis,
    env: withNamespaces({ log: { public: true, historySize: 100, historyTtlMs: 60_000 } }),
  });
});

test.each(['general', 'log:1'])(
  'acks of %s follow the frames, even after the session has left',
  async room => {
    const client = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'alice' }) });
    await client.join(room);
    const sent = Array.from({ length: 10 }, (_, n) => `m${n}`);
    await redis.pause();
    for (const id of sent) client.send({ type: 'send_message', room, id, payload: { id } });
    client.send({ type: 'leave_room', id: 'leave', payload: { room_id: room } });
    client.send({ type: 'ping', id: 'ping' });
    // A leave and a ping do not wait for the acks of earlier messages.
    await client.nextFrame({ type: 'ack', id: 'leave' });
    await client.nextFrame({ type: 'pong', id: 'ping' });
    await redis.resume();
    await client.nextFrame({ type: 'ack', id: 'm9', room });
    const answers = client.frames.filter(({ type, id }) => type === 'ack' && id?.startsWith('m'));
    expect(answers.map(({ id }) => id)).toEqual(sent);
    expect(client.frames.filter(({ type }) => type === 'error')).toEqual([]);
  },
  30_000,
);

test('a message after a leave is refused', async () => {
  const client = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'bob' }) });
  await client.join('general');
  client.send({ type: 'leave_room', id: 'leave', payload: { room_id: 'general' } });
  client.send({ type: 'send_message', room: 'general', id: 'late', payload: {} });
  expect(await client.nextFrame({ id: 'late' })).toMatchObject({ type: 'error', payload: { code: 'NOT_IN_ROOM' } });
});
