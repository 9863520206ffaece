/** Presence over HTTP: its answers and refusals match its description. */
import { MemoryNodeLeases, MemoryOnlineCounter, partitionKey, RedisNodeLeases } from '@hubbub/broker';
import { partitionOf } from '@hubbub/protocol';
import { createLogger, createMetricsRegistry } from '@hubbub/runtime';
import { startAdminServer } from '@hubbub/runtime/http';
import { eventually } from '@hubbub/tools/kit';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { MemoryPartitionStore } from '../src/memory/memory-partition-store.js';
import { MemoryRegistryReader } from '../src/memory/memory-registry-reader.js';
import { Partition } from '../src/partition/partition.js';
import { DEFAULT_RULES } from '../src/partition/rules.js';
import { RedisRegistryReader } from '../src/redis/redis-registry-reader.js';
import { type PresenceHttpOptions, presenceRoutes } from '../src/routes.js';
import { heardEventually, redisBench } from './support/redis-bench.js';

const KEY = 'a key of the test';
const PARTITIONS = 4;

type RouteParts = Omit<PresenceHttpOptions, 'apiKeys'>;

interface Description {
  readonly openapi: string;
  readonly paths: Readonly<
    Record<
      string,
      {
        readonly get: {
          readonly parameters?: readonly { readonly name: string }[];
          readonly security?: readonly object[];
          readonly responses: Readonly<
            Record<string, { readonly content: { 'application/json': { schema: object } } }>
          >;
        };
      }
    >
  >;
}

type Ask = (path: string, key?: string, method?: string) => Promise<{ status: number; body: Record<string, unknown> }>;

async function serve(parts: RouteParts, apiKeys: readonly string[] = ['another key', KEY]): Promise<Ask> {
  const { port, close } = await startAdminServer({
    host: '127.0.0.1',
    port: 0,
    hostSetting: '',
    portSetting: '',
    hostProblem: () => undefined,
    log: createLogger({ level: 'silent', process: 'test', nodeId: 'test' }),
    metrics: createMetricsRegistry(),
    readiness: () => ({ ready: true, checks: {} }),
    routes: presenceRoutes({ ...parts, apiKeys }),
  });
  cleanup(close);
  return async (path, key = KEY, method = 'GET') => {
    const headers = key === '' ? {} : { authorization: `Bearer ${key}` };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
}

/** A registry in memory with `rooms` rooms of three users each, and one large room. */
async function filled({ rooms = 3, large = 0 } = {}): Promise<RouteParts> {
  const store = new MemoryPartitionStore(() => {});
  const options = { partitions: PARTITIONS, rules: DEFAULT_RULES, nowMs: 1000 };
  const saved = { meta: new Map(), rooms: new Map(), members: new Map(), users: new Map() };
  const partitions = Array.from({ length: PARTITIONS }, (_, number) => new Partition({ ...options, number, saved }));
  const enter = (room: string, user: string) => {
    const session = `s-${user}`;
    const of = (key: string) => partitions[partitionOf(key, PARTITIONS)];
    of(user)?.apply('edge-1/a', { kind: 'connect', session, user }, 1000);
    of(user)?.apply('edge-1/a', { kind: 'enter', session, user, room }, 1000);
    of(room)?.apply('edge-1/a', { kind: 'join', session, user, name: user.toUpperCase(), room }, 1000);
  };
  for (let room = 0; room < rooms; room++) {
    for (let user = 0; user < 3; user++) enter(`chat:${room}`, `u${room}-${user}`);
  }
  for (let user = 0; user < large; user++) enter('large', `big-${user}`);
  for (const [number, partition] of partitions.entries()) {
    const claim = await store.claim(number, 'a', ['a']);
    const effects = partition.takeEffects();
    if (claim !== undefined && effects !== undefined) {
      await store.commit(claim, {
        sequence: 0,
        position: '1-0',
        hashes: effects.hashes,
        publications: [],
        lifecycle: [],
      });
    }
  }
  const onlineCounter = new MemoryOnlineCounter();
  await onlineCounter.write(new Map([[0, { users: 7, fence: 1 }]]));
  const nodeLeases = new MemoryNodeLeases();
  await nodeLeases.register('edge-1/a');
  return { registry: new MemoryRegistryReader(store, PARTITIONS), onlineCounter, nodeLeases };
}

describe('answers', () => {
  test('every route answers as described', async () => {
    const ask = await serve(await filled());
    const { paths } = await describedBy(ask);
    for (const [path, { get }] of Object.entries(paths)) {
      const { status, body } = await ask(path.replace('{room_id}', 'chat:1').replace('{user_id}', 'u1-1'));
      expect(status, path).toBe(200);
      expectAsDescribed(get.responses[200], body);
    }
  });

  test('returns the roster of a room, the sessions of a user, the online count and the live edges', async () => {
    const ask = await serve(await filled());
    expect((await ask('/online')).body).toEqual({ online: 7 });
    expect((await ask('/nodes')).body.nodes).toMatchObject([{ node: 'edge-1', incarnation: 'edge-1/a' }]);
    const roster = (await ask('/rooms/chat:1/roster')).body;
    expect(roster).toMatchObject({ room_id: 'chat:1', count: 3 });
    expect(roster.users).toContainEqual({
      id: 'u1-0',
      name: 'U1-0',
      online: true,
      sessions: [{ session_id: 's-u1-0', node: 'edge-1' }],
    });
    expect((await ask('/users/u1-0')).body).toEqual({
      id: 'u1-0',
      online: true,
      sessions: [{ session_id: 's-u1-0', node: 'edge-1', rooms: ['chat:1'] }],
    });
  });

  test('an unknown room is empty and an unknown user offline, without errors', async () => {
    const ask = await serve(await filled());
    expect(await ask('/rooms/nowhere/roster')).toEqual({
      status: 200,
      body: { room_id: 'nowhere', count: 0, version: 0, users: [] },
    });
    expect((await ask('/users/nobody')).body).toEqual({ id: 'nobody', online: false, sessions: [] });
    expect((await ask(`/users/${encodeURIComponent('zoë/é?')}`)).body).toMatchObject({ id: 'zoë/é?' });
  });

  test('pages and filters return every room and user once, in bounded pages', async () => {
    const ask = await serve(await filled({ rooms: 25, large: 2500 }));
    const rooms = await allPages(ask, '/rooms?limit=7&prefix=chat:', 'rooms');
    expect(new Set(rooms.map(room => room.room_id)).size).toBe(25);
    expect(rooms).toHaveLength(25);
    expect((await ask('/rooms?min_count=100')).body.rooms).toMatchObject([{ room_id: 'large', count: 2500 }]);
    const first = (await ask('/rooms/large/roster')).body;
    expect(first.users).toHaveLength(100);
    expect(first.count).toBe(2500);
    const users = await allPages(ask, '/rooms/large/roster?limit=1000', 'users');
    expect(new Set(users.map(user => user.id)).size).toBe(2500);
    expect((await ask('/rooms/large/roster?online=false')).body.users).toEqual([]);
  });
});

describe('refusals', () => {
  test('a wrong or missing key, and any key if no key is configured', async () => {
    const parts = await filled();
    const ask = await serve(parts);
    const { paths } = await describedBy(ask);
    for (const [path, { get }] of Object.entries(paths)) {
      if (get.security?.length === 0) continue;
      for (const key of ['', 'wrong', `${KEY}x`, KEY.slice(1)]) {
        const { status, body } = await ask(path, key);
        expect(status).toBe(401);
        expect(body.code).toBe('UNAUTHORIZED');
        expectAsDescribed(get.responses[401], body);
      }
    }
    const closed = await serve(parts, []);
    for (const key of ['', 'x']) expect((await closed('/online', key)).status).toBe(401);
  });

  test.each([
    ['/rooms?limit=0', 'INVALID_FORMAT'],
    ['/rooms?limit=100000', 'INVALID_FORMAT'],
    ['/rooms?limit=ten', 'INVALID_FORMAT'],
    ['/rooms?prefix=*', 'INVALID_FORMAT'],
    ['/rooms?cursor=x', 'INVALID_FORMAT'],
    ['/rooms?unknown=1', 'INVALID_FORMAT'],
    ['/rooms/a%2Fb/roster', 'INVALID_ROOM'],
    ['/rooms/%zz/roster', 'INVALID_FORMAT'],
    ['/rooms//roster', 'INVALID_ROOM'],
    ['/users/', 'INVALID_FORMAT'],
    [`/rooms/${'r'.repeat(256)}/roster`, 'INVALID_ROOM'],
    ['/rooms/general/roster?online=maybe', 'INVALID_FORMAT'],
    [`/users/${'u'.repeat(129)}`, 'INVALID_FORMAT'],
  ])('%s is answered 400 %s', async (path, code) => {
    const { status, body } = await (await serve(await filled()))(path);
    expect({ status, code: body.code }).toEqual({ status: 400, code });
  });

  test('other paths are 404, and other methods are 405', async () => {
    const ask = await serve(await filled());
    for (const path of ['/', '/room', '/rooms/', '/users/a/b']) {
      expect((await ask(path)).status, path).toBe(404);
    }
    expect((await ask('/online', KEY, 'POST')).status).toBe(405);
  });
});

test('the description names every route and parameter, and needs no key', async () => {
  const { openapi, paths } = await describedBy(await serve(await filled()));
  expect(openapi).toBe('3.1.0');
  const { '/openapi.json': itself, ...routes } = paths;
  expect(itself?.get.security).toEqual([]);
  expect(Object.keys(routes)).toEqual(['/online', '/nodes', '/rooms', '/rooms/{room_id}/roster', '/users/{user_id}']);
  const names = routes['/rooms/{room_id}/roster']?.get.parameters?.map(({ name }) => name) ?? [];
  expect(names.sort()).toEqual(['cursor', 'limit', 'online', 'room_id']);
  for (const { get } of Object.values(routes)) expect(Object.keys(get.responses)).toEqual(['200', '400', '401', '503']);
});

test('the registry in Redis is read as it was committed, page by page', async () => {
  const bench = await redisBench();
  const { prefix } = bench.redis;
  await bench.presence('p1');
  const edge = await bench.edge('edge-1');
  const joins = Array.from({ length: 300 }, (_, user) =>
    edge.join(`s${user}`, `u${user}`, user < 250 ? 'large' : `chat:${user}`),
  );
  await Promise.all(joins);
  await heardEventually(bench, 'user_joined', 'u299');
  const redis = bench.redis.topology();
  const ask = await serve({
    registry: new RedisRegistryReader({ redis, prefix, partitions: 16 }),
    onlineCounter: bench.onlineCounter,
    nodeLeases: new RedisNodeLeases({ redis, prefix }),
  });
  await eventually(async () => (await ask('/rooms/large/roster')).body.count === 250);
  const users = await allPages(ask, '/rooms/large/roster?limit=20', 'users');
  expect(new Set(users.map(user => user.id)).size).toBe(250);
  const rooms = await allPages(ask, '/rooms?limit=5&prefix=chat:', 'rooms');
  expect(new Set(rooms.map(room => room.room_id)).size).toBe(50);
  const sessions = [{ session_id: 's7', node: 'edge-1', rooms: ['large'] }];
  await expect.poll(async () => (await ask('/users/u7')).body).toEqual({ id: 'u7', online: true, sessions });
  await bench.redis.stop();
  expect((await ask('/online')).status).toBe(503);
});

test('returns a roster of 100,000 in bounded pages, whatever size is requested', async () => {
  const bench = await redisBench();
  const commands = bench.redis.connection();
  const registry = partitionKey(bench.redis.prefix, partitionOf('stadium', 16), 'rooms');
  const roster = partitionKey(bench.redis.prefix, partitionOf('stadium', 16), 'room:stadium');
  const users = Array.from({ length: 100_000 }, (_, user) => `u${user}`);
  await commands.hset(registry, 'stadium', `7 ${users.length}`);
  for (let at = 0; at < users.length; at += 5000) {
    await commands.hset(roster, new Map(users.slice(at, at + 5000).map(user => [user, `[0,1,"s-${user}"]`])));
  }
  const redis = bench.redis.topology();
  const ask = await serve({
    registry: new RedisRegistryReader({ redis, prefix: bench.redis.prefix, partitions: 16 }),
    onlineCounter: bench.onlineCounter,
    nodeLeases: new RedisNodeLeases({ redis, prefix: bench.redis.prefix }),
  });

  const whole = (await ask('/rooms/stadium/roster')).body;
  expect(whole).toMatchObject({ count: 100_000, version: 7 });
  expect((whole.users as unknown[]).length).toBeLessThanOrEqual(100 + 128);
  expect((await ask('/rooms/stadium/roster?limit=100000')).status).toBe(400);

  const seen = new Set<unknown>();
  let pages = 0;
  for (let cursor: unknown = ''; cursor !== undefined; pages++) {
    const { body } = await ask(`/rooms/stadium/roster?limit=1000${cursor && `&cursor=${cursor}`}`);
    const page = body.users as { id: string }[];
    expect(page.length).toBeLessThanOrEqual(1000 + 128);
    for (const { id } of page) seen.add(id);
    cursor = body.next;
  }
  expect(seen.size).toBe(100_000);
  expect(pages).toBeLessThan(200);
});

async function describedBy(ask: Ask): Promise<Description> {
  const { status, body } = await ask('/openapi.json', '');
  expect(status).toBe(200);
  return body as unknown as Description;
}

function expectAsDescribed(
  response: Description['paths'][string]['get']['responses'][string] | undefined,
  body: object,
) {
  const ajv = new Ajv2020({ strict: false });
  expect(ajv.validate(response?.content['application/json'].schema ?? false, body), ajv.errorsText()).toBe(true);
}

async function allPages(ask: Ask, path: string, field: string): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = [];
  let cursor: unknown;
  do {
    const { body } = await ask(cursor === undefined ? path : `${path}&cursor=${cursor}`);
    all.push(...(body[field] as Record<string, unknown>[]));
    cursor = body.next;
  } while (cursor !== undefined);
  return all;
}
