/** Presence instances on a real Redis: shared work, takeovers, dead edges, and data loss. */
import { nodesKey } from '@hubbub/broker';
import { eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { SILENT } from '../../../tests/support/silent-logger.js';
import { createRedisPresence } from '../src/redis/redis-presence.js';
import type { EdgeDouble } from './support/edge-double.js';
import { heardEventually, redisBench, userOf } from './support/redis-bench.js';

const GRACE = { namespace: () => ({ presence: 'on' as const, leaveGraceMs: 300 }), userGraceMs: 300 };
const LONG_GRACE = { ...GRACE, namespace: () => ({ presence: 'on' as const, leaveGraceMs: 60_000 }) };

describe('one instance', () => {
  test('registers reports of edges, notifies members, counts, and trims the log', async () => {
    const bench = await redisBench();
    await bench.presence('p1', GRACE);
    const edge = await bench.edge('edge-1');
    await edge.join('s1', 'alice', 'general');
    const joined = await heardEventually(bench, 'user_joined', 'alice');
    expect(joined).toMatchObject({ channel: `${bench.redis.prefix}:room:{general}`, excludeSession: 's1' });
    const info = await eventually(() => bench.heard.find(frame => frame.type === 'room_info'));
    expect(info).toMatchObject({
      channel: `${bench.redis.prefix}:node:{edge-1}`,
      sessions: ['s1'],
      payload: { count: 1 },
    });
    expect(await bench.roster('general')).toEqual(['alice']);
    await eventually(async () => (await bench.onlineCounter.total()) === 1, { describe: 'one is online' });
    await eventually(async () => (await reportsWaiting(bench.redis)) === 0, { describe: 'the log is trimmed' });
    await edge.report({ kind: 'leave', room: 'general', session: 's1', user: 'alice' });
    await heardEventually(bench, 'user_left', 'alice');
    expect(await bench.roster('general')).toEqual([]);
  });

  test('reports wait in the log while presence is down, and a reconnect in time stays invisible', async () => {
    const bench = await redisBench();
    const first = await bench.presence('p1', LONG_GRACE);
    const edge = await bench.edge('edge-1');
    await edge.join('s1', 'alice', 'general');
    await heardEventually(bench, 'user_joined', 'alice');
    await first.close();
    await edge.report({ kind: 'drop', room: 'general', session: 's1', user: 'alice' });
    await edge.join('s2', 'alice', 'general');
    await edge.join('s3', 'bob', 'general');
    await bench.presence('p2', LONG_GRACE);
    await heardEventually(bench, 'user_joined', 'bob');
    expect(bench.heard.filter(frame => userOf(frame) === 'alice').map(frame => frame.type)).toEqual(['user_joined']);
    expect(await bench.roster('general')).toEqual(['alice', 'bob']);
  });

  test('malformed reports are dropped and do no harm', async () => {
    const bench = await redisBench();
    await bench.presence('p1', GRACE);
    const edge = await bench.edge('edge-1');
    for (let partition = 0; partition < 16; partition++) {
      const key = `${bench.redis.prefix}:presence:{p${partition}}:reports`;
      for (const [field, text] of [
        ['r', '{'],
        ['r', '[1,"x",["j"],["?"],5]'],
        ['other', 'x'],
        ['r', '[2,"x"]'],
      ] as const) {
        await bench.redis.cli('XADD', key, '*', field, text);
      }
    }
    await edge.join('s1', 'alice', 'general');
    await heardEventually(bench, 'user_joined', 'alice');
  });
});

describe('edges', () => {
  test('a dead edge: each of its users leaves once, within lease and grace (invariant 4)', async () => {
    const bench = await redisBench();
    await bench.presence('p1', GRACE);
    const [dead, alive] = [await bench.edge('edge-1'), await bench.edge('edge-2')];
    for (let user = 0; user < 30; user++) await dead.join(`s${user}`, `u${user}`, `room-${user % 5}`);
    await alive.join('x', 'u0', 'room-0');
    await heardEventually(bench, 'user_joined', 'u29');
    await bench.killEdge(dead);
    await eventually(() => bench.heard.filter(frame => frame.type === 'user_left').length === 29);
    const left = bench.heard.filter(frame => frame.type === 'user_left').map(userOf);
    expect(new Set(left).size).toBe(29);
    expect(left).not.toContain('u0');
    expect(await bench.roster('room-0')).toEqual(['u0']);
    const dead_ = `${bench.redis.prefix}:presence:{nodes}:dead`;
    await eventually(async () => (await bench.redis.cli('ZCARD', dead_)) === '0', {
      describe: 'the dead is forgotten',
    });
  });
});

describe('several instances', () => {
  test('share the partitions; a stopping instance hands over immediately; a killed one loses them with its lease', async () => {
    const bench = await redisBench();
    const first = await bench.presence('p1', GRACE);
    await eventually(() => first.partitionsOwned === 16);
    const second = await bench.presence('p2', GRACE);
    await eventually(() => first.partitionsOwned === 8 && second.partitionsOwned === 8);
    const killed = bench.redis.topology();
    const third = createRedisPresence({
      instance: 'p3',
      prefix: bench.redis.prefix,
      redis: killed,
      logger: SILENT,
      metrics: (await import('@hubbub/runtime')).createMetricsRegistry(),
    });
    await eventually(() => third.partitionsOwned === 5 && first.partitionsOwned + second.partitionsOwned === 11);
    await second.close();
    await eventually(() => first.partitionsOwned === 8 && third.partitionsOwned === 8);
    killed.close();
    await bench.expireInstance('p3');
    await eventually(() => first.partitionsOwned === 16, { describe: 'the survivor owns all' });
    const edge = await bench.edge('edge-1');
    for (let room = 0; room < 20; room++) await edge.join(`s${room}`, `u${room}`, `room-${room}`);
    for (let room = 0; room < 20; room++) await heardEventually(bench, 'user_joined', `u${room}`);
    await third.close();
  });
});

describe('the online count', () => {
  test('is recomputed for a partition that returns after another instance wrote its own count', async () => {
    const bench = await redisBench();
    await bench.presence('p1', GRACE);
    const edge = await bench.edge('edge-1');
    await edge.join('s1', 'alice', 'general');
    await eventually(async () => (await bench.onlineCounter.total()) === 1, { describe: 'alice is counted' });
    const { redis } = bench;
    const counts = await redis.connection().hgetall(`${redis.prefix}:presence:online`);
    const partition = Object.keys(counts).find(key => counts[key]?.startsWith('1 '));
    // As after a takeover: a former owner had the partition before edges reported its users.
    await redis.cli('HSET', `${redis.prefix}:presence:{p${partition}}:meta`, 'owner', 'gone|99', 'fence', '99');
    await redis.cli('HSET', `${redis.prefix}:presence:online`, `${partition}`, '0');
    await edge.report({ kind: 'enter', session: 's1', user: 'alice', room: 'elsewhere' }); // Storing fails: the instance is not the owner.
    await eventually(async () => (await bench.onlineCounter.total()) === 1, { describe: 'alice is counted again' });
  });
});

describe('a Redis that loses all data', () => {
  test('edges report everything again, and the rosters are right', async () => {
    const bench = await redisBench();
    await bench.presence('p1', GRACE);
    const edge = await bench.edge('edge-1');
    await edge.join('s1', 'alice', 'general');
    await heardEventually(bench, 'user_joined', 'alice');
    await bench.redis.cli('FLUSHALL');
    const commands = bench.redis.connection();
    let resyncs = 0;
    await eventually(
      async () => {
        const isFenced = (await commands.zscore(nodesKey(bench.redis.prefix, 'alive'), edge.incarnation)) === null;
        if (isFenced) {
          resyncs++;
          await resync(edge);
        }
        return !isFenced && (await bench.roster('general')).length === 1;
      },
      { describe: 'alice is back' },
    );
    // The edge lost its own lease. Then presence noticed its loss, and fenced every edge.
    expect(resyncs).toBeGreaterThanOrEqual(2);
    expect(bench.heard.filter(frame => frame.type === 'user_left')).toEqual([]);
  });
});

/** Acts like the reporter of a fenced edge. */
async function resync(edge: EdgeDouble): Promise<void> {
  const gone = edge.incarnation;
  edge.die();
  await edge.live();
  await edge.report({ kind: 'node_gone', gone });
  await edge.report(
    { kind: 'connect', session: 's1', user: 'alice' },
    { kind: 'join', room: 'general', session: 's1', user: 'alice', name: 'alice', resync: true },
  );
}

async function reportsWaiting(redis: { cli(...args: string[]): Promise<string>; prefix: string }): Promise<number> {
  let waiting = 0;
  for (let partition = 0; partition < 16; partition++) {
    waiting += Number(await redis.cli('XLEN', `${redis.prefix}:presence:{p${partition}}:reports`));
  }
  return waiting;
}
