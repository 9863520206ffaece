/** The Redis users of deploy/redis/users.sh: a whole cluster runs with them, each process with its own, and they permit no more. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectHubbub, type Hubbub } from '@hubbub/server';
import {
  type Cluster,
  eventually,
  FREE_PORTS,
  signToken,
  startHubbubCluster,
  TEST_JWT_SECRET,
} from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { API_KEY, ApiProcess, PRESENCE_KEY } from '../api/api-process.js';
import { withConfigFile } from '../presence/config-file.js';
import { cleanup } from '../support/cleanup.js';
import { runHubbub, startProcess } from '../support/process.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { type Receiver, SECRET, startReceiver } from '../webhooks/receiver.js';
import { CommandLog } from './support/command-log.js';
import { makeSecrets, writeTestUsers } from './support/secrets.js';

const ROLES = ['edge', 'presence', 'api', 'webhooks', 'service'] as const;
const NAMESPACES = {
  default: { public: true, memberEvents: true, leaveGraceMs: 0 },
  kept: { public: true, historySize: 100, historyTtlMs: 60_000 },
  durable: { public: true, historySize: 100, historyTtlMs: 60_000, durable: true },
  game: { public: true, events: ['*'] },
  club: { public: true, keepMembers: { offlineAfterMs: 0, expireAfterMs: 60_000 } },
};

let redis: TestRedis;
let cluster: Cluster;
let api: ApiProcess;
let hubbub: Hubbub;
let receiver: Receiver;
let commands: CommandLog;
const rules = new Map<string, readonly string[]>();
const folder = makeSecrets();

function urlOf(role: (typeof ROLES)[number]): string {
  return readFileSync(join(folder, `redis-url-${role}`), 'utf8').replace('redis:6379', `127.0.0.1:${redis.port}`);
}

async function enter(user: string, edge = 0, rooms: readonly string[] = []): Promise<RawClient> {
  const client = await connect(cluster.edge(edge).wsUrl, { name: user, token: signToken({ user, name: user }) });
  await client.nextFrame('welcome');
  for (const room of rooms) await client.join(room);
  return client;
}

/** The refusals of Redis: each entry names the user and the command, key or channel. */
async function refusals(): Promise<unknown[]> {
  const log = (await redis.connection().call('ACL', 'LOG')) as (string | number)[][];
  return log.map(entry => ['username', 'reason', 'object'].map(field => entry[entry.indexOf(field) + 1]));
}

beforeAll(async () => {
  const users = readFileSync(join(folder, 'users.acl'), 'utf8');
  for (const [, role = '', text = ''] of users.matchAll(/^user hubbub-(\w+) (.*)$/gm)) rules.set(role, text.split(' '));
  redis = await startRedis({ args: ['--aclfile', writeTestUsers(folder), '--acllog-max-len', '1000'] });
  commands = await CommandLog.start(redis);
  receiver = await startReceiver();
  const shop = { url: receiver.url, secrets: [SECRET], events: ['*'], lifecycle: ['*'] };
  const shared = { ...withConfigFile({ namespaces: NAMESPACES, webhooks: { shop } }), HUBBUB_NODE_LEASE_MS: '3000' };
  cluster = await startHubbubCluster({
    edges: 3,
    presence: 1,
    env: { ...shared, HUBBUB_JWT_SECRET: TEST_JWT_SECRET },
    edgeOptions: { env: { HUBBUB_REDIS_URL: urlOf('edge') } },
    presenceOptions: { env: { HUBBUB_REDIS_URL: urlOf('presence'), HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY } },
    start: startProcess,
  });
  const ofApi = {
    HUBBUB_API_PORT: '0',
    HUBBUB_API_KEYS: API_KEY,
    HUBBUB_PRESENCE_URL: cluster.presence[0]?.adminUrl ?? '',
    HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY,
    HUBBUB_REDIS_URL: urlOf('api'),
  };
  api = new ApiProcess(await startProcess(['api'], { name: 'api', env: { ...FREE_PORTS, ...shared, ...ofApi } }));
  await startProcess(['webhooks'], {
    name: 'webhooks',
    env: { ...FREE_PORTS, ...shared, HUBBUB_REDIS_URL: urlOf('webhooks'), HUBBUB_WEBHOOK_RETRY_DELAY_MS: '20' },
  });
  hubbub = connectHubbub({ redisUrl: urlOf('service') });
  cleanup(() => hubbub.close());
}, 120_000);

describe('with its own user', () => {
  test('members on two edges chat, with a history, kept members, and presence', async () => {
    const [ada, bob] = [await enter('ada', 0, ['hall', 'kept:1', 'club:1']), await enter('bob', 1, ['hall', 'kept:1'])];
    expect(await ada.ask({ type: 'send_message', room: 'hall', payload: { n: 1 }, id: 'm1' })).toMatchObject({
      type: 'ack',
    });
    expect(await bob.nextFrame({ type: 'new_message', room: 'hall' })).toMatchObject({ payload: { n: 1 } });
    await ada.ask({ type: 'send_message', room: 'kept:1', payload: { n: 2, message_id: 'x' } });
    await bob.nextFrame({ type: 'new_message', room: 'kept:1' });
    expect(await bob.ask({ type: 'history', room: 'kept:1', payload: {} })).toMatchObject({ type: 'history' });
    expect(await bob.ask({ type: 'online_users', room: 'hall', payload: {} })).toMatchObject({ type: 'online_users' });
    // Without a replica nothing confirms it, so the answer is that of a durable room, and not that of a refusal by Redis.
    await ada.join('durable:1');
    expect(await ada.ask({ type: 'send_message', room: 'durable:1', payload: {} })).toMatchObject({
      payload: { code: 'OUTCOME_UNKNOWN' },
    });
    await ada.close();
    await bob.nextFrame({ type: 'user_left', room: 'hall' });
    await bob.close();
  });

  test('a service publishes, reads events, answers them, and controls sessions', async () => {
    const heard: string[] = [];
    const consumer = hubbub.onEvents('game', { group: 'referee', maxAttempts: 2, retryDelayMs: 10 }, async event => {
      heard.push(event.type);
      if (event.type === 'broken') throw new Error('The story wants a dead letter.');
      await event.reply({ type: 'seen', payload: {} });
    });
    const lifecycle: string[] = [];
    const watcher = hubbub.onLifecycle({ group: 'watcher' }, async ({ event }) => void lifecycle.push(event));
    await eventually(() => consumer.leading && watcher.leading);
    const player = await enter('player', 0, ['game:1', 'kept:2']);
    await player.ask({ type: 'move', room: 'game:1', payload: {} });
    await player.nextFrame('seen');
    await player.ask({ type: 'broken', room: 'game:1', payload: {} });
    await eventually(async () => (await hubbub.deadLetters('game', 'referee')).length > 0);
    await hubbub.publishToRoom('game:1', { type: 'started', payload: {} });
    await hubbub.publishToRoom('kept:2', { type: 'started', payload: {}, idempotencyKey: 'k1' });
    await hubbub.publishToUser('player', { type: 'hello', payload: {} });
    await hubbub.publishToAll({ type: 'soon', payload: {} });
    await player.nextFrame('soon');
    await hubbub.removeFromRoom('game:1', 'player');
    await player.nextFrame('room_closed');
    await eventually(() => lifecycle.includes('user_online'), { describe: 'the service reads lifecycle events' });
  });

  test('a webhook receives client events and lifecycle events', async () => {
    const player = await enter('shopper', 1, ['game:2']);
    await player.ask({ type: 'bought', room: 'game:2', payload: {} });
    await eventually(() => receiver.accepted.some(({ type }) => type === 'bought'), { withinMs: 30_000 });
    await eventually(() => receiver.accepted.some(event => JSON.stringify(event).includes('room_occupied')), {
      withinMs: 30_000,
    });
  });

  test('the API publishes, reads, controls, revokes and explains', async () => {
    const guest = await enter('guest', 0, ['hall', 'kept:3']);
    const message = { type: 'said', payload: {} };
    const answers = [
      await api.post('/rooms/hall/messages', message, { 'idempotency-key': 'order-1' }),
      await api.post('/rooms/kept:3/messages', message, { 'idempotency-key': 'order-2' }),
      await api.post('/users/guest/messages', message),
      await api.post('/messages', { all: true, ...message }),
      ...(await Promise.all(
        ['/rooms/kept:3/history', '/rooms/hall/roster', '/users/guest', '/online', '/nodes', '/rooms', '/events'].map(
          path => api.get(path),
        ),
      )),
      await api.get('/explain/users/guest'),
      await api.get('/events/game/referee/dead_letters'),
      await api.get('/lifecycle/watcher/dead_letters'),
      await api.post('/users/guest/revoke', {}),
      await api.post('/users/nobody/block', { until: new Date(Date.now() + 60_000).toISOString() }),
      await api.ask('DELETE', '/users/nobody/block'),
      await api.post('/rooms/hall/close', {}),
      await api.post('/users/guest/disconnect', {}),
    ];
    expect(answers.filter(({ status }) => status >= 300)).toEqual([]);
    const letters = await api.get('/events/game/referee/dead_letters');
    const [letter] = letters.body.dead_letters as { letter_id: string }[];
    expect((await api.post(`/events/game/referee/dead_letters/${letter?.letter_id}/replay`, {})).status).toBeLessThan(
      300,
    );
    await guest.closed;
  });

  test('an edge dies, and presence reaps it', async () => {
    await enter('lonely', 2, ['hall']);
    await commands.noteUsers();
    await cluster.edge(2).process.kill('SIGKILL');
    await eventually(async () => (await api.get('/users/lonely')).body.online === false, { withinMs: 30_000 });
  });

  test('Redis loses its data and its scripts, and all is as before', async () => {
    const member = await enter('member', 0, ['kept:4', 'game:3']);
    await redis.cli('FLUSHALL');
    await redis.cli('SCRIPT', 'FLUSH');
    await eventually(async () => {
      const answer = await member.ask({ type: 'send_message', room: 'kept:4', payload: {} });
      return answer.type === 'ack' && (await api.get('/users/member')).body.online === true;
    });
    await member.ask({ type: 'move', room: 'game:3', payload: {} });
  });

  test('the commands of operators ask with the user of the API', async () => {
    const env = { HUBBUB_REDIS_URL: urlOf('api') };
    expect(await runHubbub(['publish', 'hall', 'said', '{}'], env)).toMatchObject({ code: 0 });
    expect(await runHubbub(['explain', 'member'], env)).toMatchObject({ code: 0 });
    expect(await runHubbub(['drain', '--percent', '1'], env)).toMatchObject({ code: 0 });
  });
});

describe('the users permit', () => {
  test('keys of their own to services', async () => {
    expect(await redis.cli('ACL', 'DRYRUN', 'hubbub-service', 'SET', 'hubbub-example:chat:rooms', '1')).toBe('OK');
    expect(await redis.cli('ACL', 'DRYRUN', 'hubbub-api', 'SET', 'hubbub-example:chat:rooms', '1')).toMatch(
      /no permissions/,
    );
  });

  test('everything that the stories needed', async () => {
    expect(await refusals()).toEqual([]);
  });

  /** Of a Redis Cluster, of a new connection, of another database, and of a replica: not in these stories. */
  const ELSEWHERE = new Set([
    'asking',
    'auth',
    'hello',
    'select',
    'cluster|slots',
    'spublish',
    'ssubscribe',
    'sunsubscribe',
  ]);
  /**
   * Full logs of events; revocations that end; durable rooms with a replica; rooms on another Redis than the registry.
   * Retries and dead letters of a webhook.
   */
  const RARE = {
    edge: ['exists', 'hdel', 'hvals', 'xinfo|groups', 'xpending', 'xtrim'],
    presence: ['hvals', 'lrange', 'ping', 'rpush', 'set'],
    api: ['hdel', 'wait', 'zrem'],
    webhooks: ['del', 'time', 'xadd', 'xclaim', 'xdel', 'xrange'],
  };

  test.each(Object.entries(RARE))('no command that %s never runs', async (role, rare) => {
    const used = await commands.of(`hubbub-${role}`);
    const permitted = (rules.get(role) ?? []).flatMap(rule => /^\(?\+([\w|]+)$/.exec(rule)?.[1] ?? []);
    expect(permitted.length).toBeGreaterThan(10);
    const unused = new Set(permitted.filter(command => !used.has(command) && !ELSEWHERE.has(command)));
    expect([...unused].filter(command => !rare.includes(command))).toEqual([]);
  });

  test.each([
    ['edge', 'FLUSHALL'],
    ['edge', 'KEYS', '*'],
    ['edge', 'CONFIG', 'GET', '*'],
    ['edge', 'GET', 'other:key'],
    ['edge', 'HGETALL', 'hubbub:presence:{p0}:meta'],
    ['edge', 'HSET', 'hubbub:presence:{p0}:rooms', 'r', '1'],
    ['edge', 'XADD', 'hubbub:room:{r}:kept', '*', 'e', '1'],
    ['edge', 'SUBSCRIBE', 'other'],
    ['edge', 'GET', 'hubbub:api:key:{k}'],
    ['presence', 'PUBLISH', 'hubbub:user:{u}', 'x'],
    ['presence', 'SUBSCRIBE', 'hubbub:room:{r}'],
    ['presence', 'XRANGE', 'hubbub:history:{r}:stream', '-', '+'],
    ['presence', 'GET', 'hubbub:events:{game}'],
    ['presence', 'HSET', 'hubbub:{revocations}:entries', 'u', 'x'],
    ['api', 'ZADD', 'hubbub:presence:{nodes}:alive', '1', 'edge-1'],
    ['api', 'HGETALL', 'hubbub:presence:{p0}:meta'],
    ['api', 'XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'hubbub:events:{game}', '>'],
    ['api', 'SCRIPT', 'FLUSH'],
    ['webhooks', 'PUBLISH', 'hubbub:room:{r}', 'x'],
    ['webhooks', 'XADD', 'hubbub:presence:{p0}:lifecycle', '*', 'event', 'x'],
    ['webhooks', 'XRANGE', 'hubbub:history:{r}:stream', '-', '+'],
    ['service', 'ZADD', 'hubbub:presence:{nodes}:alive', '1', 'edge-1'],
    ['service', 'HGETALL', 'hubbub:presence:{p0}:users'],
    ['service', 'GET', 'hubbub:api:key:{k}'],
    ['service', 'GET', 'other:key'],
  ])('%s may not %s %s', async (role, ...command) => {
    expect(await redis.cli('ACL', 'DRYRUN', `hubbub-${role}`, ...command)).toMatch(/no permissions/);
  });
});
