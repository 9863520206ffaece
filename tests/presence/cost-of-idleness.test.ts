/** What sessions cost Redis that only are there, and what a cluster leaves behind. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { connect } from '../support/raw-client.js';

const ROOMS = 20;
/** One partition's keys are renewed every 7.5 s: a window has a renewal or two more than another. */
const WINDOW_MS = 15_000;
const RENEWAL_COMMANDS = 120;
/** The longest life of a key that is not renewed (docs/decisions/0001). */
const LONGEST_LIFE_MS = 300_000;
/** What services must know of namespaces: they may publish while no edge is there (docs/decisions/0004). */
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

/** Calls since the last reset, of each command. */
async function commandsIn(cluster: TestCluster): Promise<Map<string, number>> {
  const text = await cluster.redis.cli('INFO', 'commandstats');
  const calls = String(text).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return new Map(Array.from(calls, ([, command = '', count]) => [command, Number(count)]));
}

/** A rate needs a time: what is counted here is what happens while nothing happens. */
async function idleCommands(cluster: TestCluster): Promise<Map<string, number>> {
  // What was joined is also trimmed from the log: about a second later.
  await sleep(2500);
  await cluster.redis.cli('CONFIG', 'RESETSTAT');
  await sleep(WINDOW_MS);
  return commandsIn(cluster);
}

const total = (commands: ReadonlyMap<string, number>) => [...commands.values()].reduce((sum, calls) => sum + calls, 0);

test('idle sessions cost Redis nothing: 2,000 as much as 20, and not one report (invariant 11)', async () => {
  const cluster = await startCluster({ edges: 2, env: { HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '0' } });
  await open(cluster, 0, 20);
  const few = await idleCommands(cluster);
  await open(cluster, 20, 2000);
  const many = await idleCommands(cluster);
  console.log(`commands in ${WINDOW_MS / 1000} s: ${total(few)} with 20 sessions, ${total(many)} with 2,000`);
  for (const write of ['xadd', 'hset', 'hdel', 'subscribe', 'ssubscribe']) expect(many.get(write) ?? 0, write).toBe(0);
  expect(total(many)).toBeLessThanOrEqual(total(few) + 2 * RENEWAL_COMMANDS);
}, 120_000);

test('a cluster that is abandoned leaves an empty Redis: no key without an end, none that lasts (invariant 9)', async () => {
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
