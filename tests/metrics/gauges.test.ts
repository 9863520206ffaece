/** Gauges go down as well as up, and the numbers of Redis are absent while it is down. */

import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startCluster, startEmbedded } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';
import { scrape } from './support/scrape.js';

/** The samples of a metric, as lines. */
async function lines(adminUrl: string, metric: string): Promise<string[]> {
  const { text } = await scrape(adminUrl);
  return text.split('\n').filter(line => line.startsWith(`${metric} `) || line.startsWith(`${metric}{`));
}

async function value(adminUrl: string, metric: string): Promise<number> {
  const [line = ''] = await lines(adminUrl, metric);
  return Number(line.split(' ').at(-1));
}

test('rooms of an edge are those with a member; the largest roster is counted by users', async () => {
  const cluster = await startEmbedded({ env: withNamespaces({ default: { leaveGraceMs: 0 } }) });
  const { adminUrl, wsUrl } = cluster.edge(0);
  const enter = (user: string) => connect(wsUrl, { name: user, token: cluster.token({ user }) });
  const [ada, bob, again] = [await enter('ada'), await enter('bob'), await enter('bob')];
  expect(await value(adminUrl, 'hubbub_edge_rooms')).toBe(0);
  for (const client of [ada, bob, again]) await client.join('general');
  await ada.join('alone');
  expect(await value(adminUrl, 'hubbub_edge_rooms')).toBe(2);
  await eventually(async () => (await value(adminUrl, 'hubbub_presence_largest_roster_users')) === 2);

  await ada.ask({ type: 'leave_room', payload: { room_id: 'alone' } });
  await bob.ask({ type: 'leave_room', payload: { room_id: 'general' } });
  expect(await value(adminUrl, 'hubbub_edge_rooms')).toBe(1);
  await again.close();
  await eventually(async () => (await value(adminUrl, 'hubbub_presence_largest_roster_users')) === 1);
  await ada.close();
  await eventually(async () => (await value(adminUrl, 'hubbub_edge_rooms')) === 0);
});

test('bytes from clients are counted as they arrive, malformed ones too', async () => {
  const cluster = await startEmbedded();
  const { adminUrl, wsUrl } = cluster.edge(0);
  const client = await connect(wsUrl, { token: cluster.token({ user: 'ada' }) });
  client.sendRaw('{"type":"ping","id":"p"}');
  await client.nextFrame({ id: 'p' });
  client.sendRaw('{{{{{');
  await client.nextFrame('error');
  expect(await value(adminUrl, 'hubbub_edge_received_bytes_total')).toBe(24 + 5);
});

test('while Redis is down presence is not ready, reports it, and exports no old number; new ones follow', async () => {
  const redis = await startRedis({ own: true });
  const cluster = await startCluster({ edges: 0, redis });
  const url = cluster.presence[0]?.adminUrl ?? '';
  expect(await value(url, 'hubbub_redis_up')).toBe(1);
  expect(await value(url, 'hubbub_redis_memory_used_bytes')).toBeGreaterThan(100_000);
  expect(await value(url, 'hubbub_redis_commands_total')).toBeGreaterThan(0);
  expect(await value(url, 'hubbub_redis_connection_failures_total')).toBe(0);

  await redis.halt();
  await eventually(async () => (await value(url, 'hubbub_redis_up')) === 0);
  for (const name of ['answer_seconds', 'memory_used_bytes', 'uptime_seconds', 'commands_total', 'cpu_seconds_total']) {
    expect(await lines(url, `hubbub_redis_${name}`), name).toEqual([]);
  }
  await eventually(async () => (await value(url, 'hubbub_presence_ready')) === 0);
  await eventually(async () => (await value(url, 'hubbub_redis_connection_failures_total')) > 0);

  await redis.start();
  await eventually(async () => (await value(url, 'hubbub_redis_up')) === 1);
  await eventually(async () => (await value(url, 'hubbub_presence_ready')) === 1);
  expect(await value(url, 'hubbub_redis_commands_total')).toBeGreaterThan(0);
});

test('where INFO is forbidden Redis still counts as up, and its numbers are absent', async () => {
  const redis = await startRedis({ own: true });
  const cluster = await startCluster({ edges: 0, redis });
  const url = cluster.presence[0]?.adminUrl ?? '';
  await redis.cli('ACL', 'SETUSER', 'default', '-info');
  expect(await value(url, 'hubbub_redis_up')).toBe(1);
  expect(await value(url, 'hubbub_redis_answer_seconds')).toBeGreaterThan(0);
  expect(await lines(url, 'hubbub_redis_memory_used_bytes')).toEqual([]);
  expect(await lines(url, 'hubbub_redis_commands_total')).toEqual([]);
});

test('each stream has its lag only where it is owned', async () => {
  const cluster = await startCluster({ edges: 0, presence: 1, env: { HUBBUB_PRESENCE_PARTITIONS: '8' } });
  const first = cluster.presence[0]?.adminUrl ?? '';
  const owned = async (url: string) => (await lines(url, 'hubbub_presence_stream_lag_seconds')).length;
  await eventually(async () => (await owned(first)) === 8);
  expect(await value(first, 'hubbub_presence_partitions')).toBe(8);
  const second = (await cluster.addPresence()).adminUrl;
  await eventually(async () => (await owned(first)) === 4 && (await owned(second)) === 4);
  expect(await value(first, 'hubbub_presence_partitions_owned')).toBe(4);
});
