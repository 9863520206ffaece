/** The cost of idle sessions for Redis, and the keys that a cluster leaves behind. */

import { eventually } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect } from '../support/raw-client.js';

const ROOMS = 20;
/** The length of a window: presence's own timer measures it, so that a slow machine makes it longer and no fuller. */
const LEASE_RENEWALS = 4;
/** One command per session every 30 s would be about five times as many in all. */
const MAX_RATIO = 3;
/** The longest life of a key that is not renewed (docs/decisions/0001). */
const LONGEST_LIFE_MS = 300_000;
/** Services need the announcements of namespaces: they may publish while no edge runs (docs/decisions/0004). */
const ANNOUNCEMENT_LIFE_MS = 86_400_000;

async function open(cluster: TestCluster, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 100) {
    const some = Array.from({ length: Math.min(100, to - at) }, (_, index) => at + index);
    await Promise.all(
      some.map(async number => {
        const user = `user-${number}`;
        const client = await connect(cluster.edge(number % 2).wsUrl, { name: user, token: cluster.token({ user }) });
        await client.join(`room-${number % ROOMS}`);
      }),
    );
  }
  const online = async () =>
    ((await (await fetch(`${cluster.edge(0).httpUrl}/ws/online`)).json()) as { online: number }).online;
  await eventually(async () => (await online()) === to, { describe: `${to} users are online` });
}

/** The commands that the cluster sends while nothing happens, each with its arguments in one text. */
async function idleCommands(cluster: TestCluster): Promise<string[]> {
  const { redis } = cluster;
  const logs = Array.from({ length: 16 }, (_, partition) => `${redis.prefix}:presence:{p${partition}}:reports`);
  const commands = redis.connection();
  const isTrimmed = async () => (await Promise.all(logs.map(log => commands.xlen(log)))).every(length => length === 0);
  await eventually(isTrimmed, { describe: 'the reports of the joins are applied and trimmed' });
  const heard: string[] = [];
  const monitor = await redis.connection().monitor();
  // Commands within a script are skipped: the script has named its keys.
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    const text = args.join(' ');
    if (source !== 'lua' && text.includes(redis.prefix)) heard.push(text);
  });
  const renewals = () => heard.filter(text => text.includes(':presence:instances presence-1')).length;
  await eventually(() => renewals() >= LEASE_RENEWALS, {
    describe: `presence renews its lease ${LEASE_RENEWALS} times`,
  });
  monitor.disconnect();
  return heard;
}

test('idle sessions cost Redis nothing: 1,000 as much as 20, and not one report (invariant 11)', async () => {
  const cluster = await startCluster({ edges: 2, env: { HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '0' } });
  await open(cluster, 0, 20);
  const few = await idleCommands(cluster);
  await open(cluster, 20, 1000);
  const many = await idleCommands(cluster);
  console.log(
    `commands in ${LEASE_RENEWALS} renewals of presence: ${few.length} with 20 sessions, ${many.length} with 1,000`,
  );
  expect(many.filter(text => /user-\d|^evalsha .*:reports|^xadd|^s?subscribe/i.test(text))).toEqual([]);
  expect(many.length).toBeLessThanOrEqual(MAX_RATIO * few.length);
}, 120_000);

test('an abandoned cluster leaves an empty Redis: every key expires (invariant 9)', async () => {
  const cluster = await startCluster({ edges: 2, presence: 2 });
  await open(cluster, 0, 200);
  const speaker = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'speaker' }) });
  await speaker.join('room-1');
  await speaker.ask({ type: 'set_status', payload: { status: 'busy' } });
  await speaker.ask({ type: 'send_message', room: 'room-1', payload: { content: 'hi' } });
  await speaker.ask({ type: 'leave_room', payload: { room_id: 'room-1' } });
  await cluster.edge(1).process.kill();
  await Promise.all([...cluster.presence, cluster.edge(0).process].map(process => process.kill()));

  const redis = cluster.redis.connection();
  const keys = await redis.keys('*');
  const kinds = new Set(keys.map(key => key.replace(/^[^:]+:presence:/, '').replace(/\{p\d+\}:(\w+).*/, '$1')));
  console.log(`${keys.length} keys are left: ${[...kinds].sort().join(', ')}`);
  // The story touched every kind of key that the registry has.
  for (const kind of ['meta', 'rooms', 'room', 'users', 'lifecycle', 'reports', 'online'])
    expect([...kinds]).toContain(kind);
  for (const key of keys) {
    const leftMs = await redis.pttl(key);
    expect(leftMs, `${key} ends`).not.toBe(-1);
    const longestMs = key.endsWith(':namespaces') ? ANNOUNCEMENT_LIFE_MS : LONGEST_LIFE_MS;
    expect(leftMs, `${key} ends soon`).toBeLessThanOrEqual(longestMs);
  }
}, 120_000);
