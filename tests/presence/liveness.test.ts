/** A late edge is not a dead edge: stalls of edges, of presence and of Redis, and an edge that is killed. */
import { eventually, metricValue } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { enter, heard, rosterOf } from '../../apps/presence/test/support/members.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { startRedis } from '../support/redis.js';
import { withNamespaces } from './config-file.js';

const BUSY_LOOP = new URL('busy-loop.mjs', import.meta.url).href;
const LONG_STORY_MS = 120_000;
const SHORT_LEASE_MS = 3000;
/** With the default lease of 8 s. */
const LONGER_THAN_A_LEASE_MS = 9000;
/** Without a grace each leave is visible immediately. */
const withoutGrace = () => withNamespaces({ default: { public: true, leaveGraceMs: 0 } });

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));
const reaped = async (cluster: TestCluster) => {
  const counts = cluster.presence.map(part => metricValue(part, 'hubbub_presence_reaped_nodes_total'));
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
};
const resyncs = (cluster: TestCluster) =>
  cluster.edges.flatMap(({ process }) => process.output.logs.filter(({ event }) => event === 'presence_resync'));
const busyEdges = async (busyMs: number, env = {}) =>
  await startCluster({
    edges: 2,
    env: { ...withoutGrace(), ...env, NODE_OPTIONS: `--import=${BUSY_LOOP}`, BUSY_LOOP_MS: String(busyMs) },
  });

describe('an edge', () => {
  test(
    'keeps its sessions while its event loop does not turn for longer than its lease',
    async () => {
      const cluster = await busyEdges(LONGER_THAN_A_LEASE_MS);
      const witness = await enter(cluster, 1, 'witness', 'general');
      const alice = await enter(cluster, 0, 'alice', 'general');
      process.kill(cluster.edge(0).process.pid, 'SIGUSR2');
      // The answer waits for the event loop.
      await alice.ask({ type: 'ping' }, { withinMs: 3 * LONGER_THAN_A_LEASE_MS });
      expect(await rosterOf(witness, 'general')).toEqual(['alice', 'witness']);
      expect(heard(witness, 'user_left')).toEqual([]);
      expect(await reaped(cluster)).toBe(0);
      expect(resyncs(cluster)).toEqual([]);
      expect(await metricValue(cluster.edge(0), 'hubbub_edge_late_lease_renewals_total')).toBeGreaterThan(0);
      expect(await metricValue(cluster.edge(1), 'hubbub_edge_late_lease_renewals_total')).toBe(0);
    },
    LONG_STORY_MS,
  );

  test(
    'keeps its sessions when it is stopped for less than its lease and then busy',
    async () => {
      const cluster = await busyEdges(5000);
      const witness = await enter(cluster, 1, 'witness', 'general');
      const alice = await enter(cluster, 0, 'alice', 'general');
      cluster.edge(0).process.pause();
      process.kill(cluster.edge(0).process.pid, 'SIGUSR2');
      await sleep(5000);
      cluster.edge(0).process.resume();
      await alice.ask({ type: 'ping' }, { withinMs: 20_000 });
      expect(await rosterOf(witness, 'general')).toEqual(['alice', 'witness']);
      expect(heard(witness, 'user_left')).toEqual([]);
      expect(await reaped(cluster)).toBe(0);
      expect(resyncs(cluster)).toEqual([]);
    },
    LONG_STORY_MS,
  );

  test(
    'is dead when its event loop does not turn for several leases, and registers again when it turns',
    async () => {
      const cluster = await busyEdges(5 * SHORT_LEASE_MS, { HUBBUB_NODE_LEASE_MS: String(SHORT_LEASE_MS) });
      const witness = await enter(cluster, 1, 'witness', 'general');
      const alice = await enter(cluster, 0, 'alice', 'general');
      process.kill(cluster.edge(0).process.pid, 'SIGUSR2');
      await eventually(() => heard(witness, 'user_left').includes('alice'), { withinMs: 5 * SHORT_LEASE_MS });
      await alice.ask({ type: 'ping' }, { withinMs: 5 * SHORT_LEASE_MS });
      await eventually(() => heard(witness, 'user_joined').length === 2);
      expect(await rosterOf(witness, 'general')).toEqual(['alice', 'witness']);
      expect(heard(witness, 'user_left')).toEqual(['alice']);
    },
    LONG_STORY_MS,
  );

  test(
    'loses its sessions within 10 s when it is killed, each once (invariant 4)',
    async () => {
      const cluster = await startCluster({ edges: 2, env: withoutGrace() });
      const witness = await enter(cluster, 1, 'witness', 'general');
      const users = Array.from({ length: 50 }, (_, index) => `user-${index}`);
      await Promise.all(users.map(user => enter(cluster, 0, user, 'general')));
      await eventually(() => heard(witness, 'user_joined').length === users.length);
      const killedAtMs = performance.now();
      await cluster.edge(0).process.kill();
      await eventually(() => heard(witness, 'user_left').length >= users.length, { withinMs: 20_000 });
      expect(performance.now() - killedAtMs).toBeLessThan(10_000);
      expect(await rosterOf(witness, 'general')).toEqual(['witness']);
      expect(heard(witness, 'user_left').sort()).toEqual(users.sort());
    },
    LONG_STORY_MS,
  );
});

describe('no living edge is reaped, and rosters are right within 15 s, after', () => {
  /** Two edges with members; users join and drop before, during and after the fault. */
  const story = async (fault: (cluster: TestCluster) => Promise<void>, cluster: TestCluster) => {
    const witness = await enter(cluster, 1, 'witness', 'general');
    const stay = ['alice', 'bob'];
    for (const [index, user] of stay.entries()) await enter(cluster, index, user, 'general');
    const gone = await enter(cluster, 0, 'gone', 'general');
    await eventually(() => heard(witness, 'user_joined').length === 3);
    const ended = fault(cluster);
    await gone.close();
    await ended;
    const endedAtMs = performance.now();
    const after = await eventually(() => enter(cluster, 0, 'after', 'general').catch(() => undefined), {
      withinMs: 15_000,
    });
    const expected = [...stay, 'after', 'witness'].sort().join();
    await eventually(async () => (await rosterOf(after, 'general')).join() === expected, { withinMs: 15_000 });
    expect(performance.now() - endedAtMs, 'until the rosters are right').toBeLessThan(15_000);
    // Longer than a lease and a hold: an edge that misses its renewals is declared dead by then.
    await sleep(12_000);
    // The leave itself may be lost with a broken subscription, of which `room_gap` informs.
    expect(heard(witness, 'user_left').filter(user => user !== 'gone')).toEqual([]);
    expect(await rosterOf(witness, 'general')).toEqual(expected.split(','));
    const dead = cluster.presence.flatMap(({ output }) =>
      output.logs.filter(({ event, level }) => event === 'node_reaped' && level === 'warn'),
    );
    expect(dead).toEqual([]);
    expect(resyncs(cluster)).toEqual([]);
  };

  test(
    'Redis was frozen for 10 s',
    async () => {
      const redis = await startRedis({ own: true });
      const cluster = await startCluster({ edges: 2, redis, env: withoutGrace() });
      await story(async () => {
        await redis.pause();
        await sleep(10_000);
        await redis.resume();
      }, cluster);
      const [presence] = cluster.presence;
      expect(presence && (await metricValue(presence, 'hubbub_presence_reaping_holds_total'))).toBe(1);
    },
    LONG_STORY_MS,
  );

  test(
    'presence was stopped for 20 s',
    async () => {
      const cluster = await startCluster({ edges: 2, env: withoutGrace() });
      await story(async ({ presence: [presence] }) => {
        presence?.pause();
        await sleep(20_000);
        presence?.resume();
      }, cluster);
    },
    LONG_STORY_MS,
  );
});
