/** An edge with a broken subscription still executes the controls of services on users and rooms, once. */
import { connectHubbub } from '@hubbub/server';
import { eventually, metricValue } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

describe('an edge with a broken subscription', () => {
  let cluster: TestCluster;
  let proxy: TcpProxy;
  let hubbub: ReturnType<typeof connectHubbub>;

  beforeAll(async () => {
    cluster = await startCluster({ edges: 0, env: { HUBBUB_MAX_SESSIONS_PER_USER: '1' } });
    proxy = await startTcpProxy({ to: cluster.redis.port });
    await cluster.addEdge({
      env: { HUBBUB_REDIS_URL: `redis://127.0.0.1:${proxy.port}`, HUBBUB_PROBE_INTERVAL_MS: '100' },
    });
    hubbub = connectHubbub({ redisUrl: cluster.redis.url, redisPrefix: cluster.redis.prefix });
    cleanup(() => hubbub.close());
  });

  async function enter(user: string, ...rooms: string[]) {
    const client = await connect(cluster.edge(0).wsUrl, { name: user, token: cluster.token({ user }) });
    const session = String((await client.nextFrame('welcome')).payload?.session_id);
    for (const room of rooms) await client.join(room);
    return Object.assign(client, { address: { id: session, node: cluster.edge(0).nodeId } });
  }

  /** The logs of reports of all partitions. */
  async function logged(): Promise<string> {
    const redis = cluster.redis.connection();
    const keys = await redis.keys(`${cluster.redis.prefix}:*reports*`);
    return JSON.stringify(await Promise.all(keys.map(key => redis.xrange(key, '-', '+'))));
  }

  const interruptions = () => metricValue(cluster.edge(0), 'hubbub_edge_interruptions_total');

  async function whileBroken(work: () => Promise<unknown>): Promise<void> {
    const before = await interruptions();
    proxy.sever();
    await work();
    proxy.restore();
    await eventually(async () => (await interruptions()) > before, { describe: 'the subscription is back' });
  }

  test('executes missed controls of its users, rooms and sessions afterwards', async () => {
    const gone = await enter('gone', 'one');
    const removed = await enter('removed', 'one', 'two');
    const member = await enter('member', 'closed', 'two');
    const added = await enter('added');
    await whileBroken(async () => {
      await hubbub.disconnectUser('gone', 'the account was closed');
      await hubbub.removeFromRoom('one', 'removed', 'not here');
      await hubbub.closeRoom('closed', 'over');
      await hubbub.addToRoom('three', added.address);
    });
    expect(await gone.closed).toMatchObject({ code: 4200 });
    await removed.nextFrame({ type: 'room_closed', room: 'one', payload: { removed: true, reason: 'not here' } });
    await member.nextFrame({ type: 'room_closed', room: 'closed', payload: { reason: 'over' } });
    await added.nextFrame({ type: 'room_opened', room: 'three' });
    for (const client of [removed, member]) {
      await client.ask({ type: 'leave_room', payload: { room_id: 'two' } }); // Untouched.
      expect(client.frames.filter(({ type }) => type === 'room_closed')).toHaveLength(1);
    }
  });

  test('ends a session that presence refused in the meantime', async () => {
    const [presence] = cluster.presence;
    if (presence === undefined) throw new Error('no presence');
    const first = await enter('many', 'one');
    await first.nextFrame('room_info');
    // The report of the second session waits in the log until the subscription is broken.
    presence.pause();
    const second = await enter('many');
    const session = second.address.id;
    await eventually(async () => (await logged()).includes(session), { describe: 'the second session is reported' });
    await whileBroken(async () => {
      presence.resume();
      const refused = () => metricValue(presence, 'hubbub_presence_sessions_refused_total');
      await eventually(async () => (await refused()) === 1, { describe: 'presence refused the second session' });
    });
    expect(await second.closed).toMatchObject({ code: 4202 });
    await first.ping();
  });

  test('executes no control twice: a user who was removed before the break and rejoined stays', async () => {
    const back = await enter('back', 'again');
    await hubbub.removeFromRoom('again', 'back');
    await back.nextFrame({ type: 'room_closed', room: 'again' });
    await back.join('again');
    await whileBroken(async () => {});
    await hubbub.publishToRoom('again', { type: 'barrier' });
    await back.nextFrame('barrier');
    expect(back.frames.filter(({ type }) => type === 'room_closed')).toHaveLength(1);
  });

  test('notifies every session once, in both encodings, that messages to its user or to all may be lost', async () => {
    const json = await enter('json');
    const msgpack = await connect(cluster.edge(0).wsUrl, {
      name: 'msgpack',
      token: cluster.token({ user: 'msgpack' }),
      encoding: 'msgpack',
    });
    await msgpack.nextFrame('welcome');
    await whileBroken(() => hubbub.publishToUser('json', { type: 'lost' }));
    for (const client of [json, msgpack]) {
      expect(await client.nextFrame('session_gap')).toEqual({ type: 'session_gap', timestamp: expect.any(String) });
      await hubbub.publishToUser(client.name, { type: 'barrier' });
      await client.noFrame('session_gap', () => client.nextFrame('barrier'));
      expect(client.frames.filter(({ type }) => type === 'session_gap')).toHaveLength(1);
    }
  });
});
