/** An overloaded edge refuses a share of the handshakes, keeps the sessions it has, and admits all again when the load is gone. */
import { setTimeout as delay } from 'node:timers/promises';
import { HubbubClient } from '@hubbub/client';
import { connectHubbub } from '@hubbub/server';
import { eventually, metricValue } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster, type TestEdge } from '../support/cluster.js';
import { connect, type RawClient, UpgradeRefused } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';
import { limitCount } from './limit-count.js';

/** Clusters of the kit admit all, so that tests do not depend on the load of the machine. */
const SHEDS = { HUBBUB_SHED_OVERLOAD: 'true' };
/** The event loop of a test machine may be late by itself. */
const NO_LOOP = { HUBBUB_OVERLOAD_LOOP_DELAY_MS: '60000' };

/** More publishes than the smallest window, with fewer than that in it. */
const [WINDOW, PUBLISHES] = [4096, 4300];
const UNLIMITED_FRAMES = {
  HUBBUB_MAX_FRAMES_PER_SECOND: '0',
  HUBBUB_MAX_USER_FRAMES_PER_SECOND: '0',
  HUBBUB_MAX_CALLS_PER_SECOND: '0',
  HUBBUB_MAX_USER_CALLS_PER_SECOND: '0',
};

const share = (edge: TestEdge): Promise<number> => metricValue(edge, 'hubbub_edge_shed_share');
const shedFor = (edge: TestEdge, reason: string): Promise<number> =>
  metricValue(edge, `hubbub_edge_shed_handshakes_total{reason="${reason}"}`);

/** The status of a handshake: 101 or that of the refusal. */
async function handshake(cluster: TestCluster, user: string, query = ''): Promise<number> {
  try {
    const { wsUrl } = cluster.edge(0);
    const client = await connect(`${wsUrl}${query}`, { name: user, token: cluster.token({ user }) });
    await client.close();
    return 101;
  } catch (error) {
    if (error instanceof UpgradeRefused) return error.refusal.status;
    throw error;
  }
}

/** Opens a connection; tries again while it is refused with 429, as the SDK does. */
async function enter(cluster: TestCluster, user: string): Promise<RawClient> {
  return await eventually(() => connect(cluster.edge(0).wsUrl, { name: user, token: cluster.token({ user }) }));
}

async function member(cluster: TestCluster, user: string): Promise<RawClient> {
  const client = await enter(cluster, user);
  await client.nextFrame('welcome');
  await client.join('general');
  return client;
}

/** The members have a session: messages and joins work, whoever else is refused. */
async function everythingWorks(alice: RawClient, bob: RawClient, text: string): Promise<void> {
  let arrived = false;
  const message = bob.nextFrame({ type: 'new_message', payload: { text } }).then(() => {
    arrived = true;
  });
  // Repeated: a subscription that breaks on a slow machine loses messages of rooms without history.
  for (; !arrived; await Promise.race([message, delay(1000)])) {
    alice.send({ type: 'send_message', room: 'general', payload: { text } });
  }
  await bob.join(`also-${text}`);
}

async function endsWhenCalm(cluster: TestCluster): Promise<void> {
  const edge = cluster.edge(0);
  await eventually(async () => (await share(edge)) === 0, { describe: 'all are admitted again', withinMs: 60_000 });
  await edge.process.output.waitForLog({ event: 'overload_ended' });
  const begun = edge.process.output.logs.filter(({ event }) => event === 'overload_began');
  expect(begun, 'the beginning is logged once').toHaveLength(1);
  await (await enter(cluster, 'late')).nextFrame('welcome');
}

describe('an edge whose event loop is late', () => {
  test('refuses with 429 and Retry-After before it reads the token; its sessions continue', async () => {
    const cluster = await startCluster({ edges: 1, env: SHEDS });
    const edge = cluster.edge(0);
    const [alice, bob] = [await member(cluster, 'alice'), await member(cluster, 'bob')];
    // It runs for 20 of 420 ms, as a process on a machine with too many others does.
    let isStarved = true;
    const starving = (async () => {
      while (isStarved) {
        edge.process.pause();
        await delay(400);
        edge.process.resume();
        await delay(20);
      }
    })();
    cleanup(async () => {
      isStarved = false;
      await starving;
    });
    await edge.process.output.waitForLog({ event: 'overload_began', reason: 'event_loop' });
    const refusals: { status: number; body: string; seconds: number }[] = [];
    const comeLate = async (name: string): Promise<void> => {
      try {
        // A wrong token would get 401 from an edge that reads it.
        await connect(edge.wsUrl, { name, token: 'wrong' });
      } catch (error) {
        if (!(error instanceof UpgradeRefused)) throw error;
        const { status, body, headers } = error.refusal;
        if (status !== 401) refusals.push({ status, body, seconds: Number(headers['retry-after']) });
      }
    };
    // The edge admits a hundred together.
    const together = Array.from({ length: 150 }, (_, i) => i);
    while (refusals.length === 0) await Promise.all(together.map(i => comeLate(`late-${i}`)));
    expect(new Set(refusals.map(({ status }) => status))).toEqual(new Set([429]));
    expect(JSON.parse(refusals[0]?.body ?? '')).toMatchObject({ code: 'RATE_LIMITED' });
    for (const { seconds } of refusals) expect(seconds).toBeGreaterThanOrEqual(1);
    for (const { seconds } of refusals) expect(seconds).toBeLessThanOrEqual(20);
    await everythingWorks(alice, bob, 'meanwhile');
    expect((await fetch(`${edge.httpUrl}/ws/online`)).status).toBeOneOf([200, 429]);
    isStarved = false;
    await starving;
    expect(await shedFor(edge, 'event_loop')).toBeGreaterThanOrEqual(refusals.length);
    expect(await limitCount(edge, 'overload')).toBe(await shedFor(edge, 'event_loop'));
    await endsWhenCalm(cluster);
  }, 120_000);
});

describe('a Redis that does not confirm subscriptions', () => {
  const env = {
    ...SHEDS,
    ...NO_LOOP,
    HUBBUB_OVERLOAD_SUBSCRIPTION_MS: '500',
    HUBBUB_OVERLOAD_REPORT_MS: '60000',
  };

  test('makes the edge refuse; a browser gets the delay in a close frame, and the SDK returns when it is over', async () => {
    const redis = await startRedis({ own: true });
    const cluster = await startCluster({ edges: 1, redis, env });
    const edge = cluster.edge(0);
    const [alice, bob] = [await member(cluster, 'alice'), await member(cluster, 'bob')];
    await redis.pause();
    // Its subscription is not confirmed: it has no welcome.
    await enter(cluster, 'waits');
    await edge.process.output.waitForLog({ event: 'overload_began', reason: 'subscriptions' });
    await eventually(async () => (await share(edge)) > 0.9, { describe: 'most are refused' });
    const statuses = await Promise.all(Array.from({ length: 20 }, (_, i) => handshake(cluster, `refused-${i}`)));
    expect(statuses.filter(status => status === 429).length).toBeGreaterThanOrEqual(16);

    const inBrowser = await connect(`${edge.wsUrl}?errors=close`, { token: cluster.token({ user: 'page' }) });
    const { code, reason } = await inBrowser.closed;
    expect(code).toBe(4002);
    const { code: error, retry_after_ms: retryAfterMs } = JSON.parse(reason);
    expect(error).toBe('RATE_LIMITED');
    expect(retryAfterMs).toBeGreaterThanOrEqual(1000);
    expect(retryAfterMs).toBeLessThanOrEqual(20_000);

    const waits: number[] = [];
    const client = new HubbubClient({ url: edge.wsUrl, token: cluster.token({ user: 'sdk' }) });
    cleanup(() => client.close());
    client.on('state', ({ state, delayMs = 0, error }) => {
      if (state === 'waiting' && error?.code === 'RATE_LIMITED') waits.push(delayMs);
    });
    client.connect();
    await eventually(() => waits.length > 0, { describe: 'the SDK was refused and waits' });
    for (const delayMs of waits) expect(delayMs, 'not before Retry-After').toBeGreaterThanOrEqual(1000);

    await redis.resume();
    await everythingWorks(alice, bob, 'afterwards');
    await eventually(() => client.state === 'open', { describe: 'the SDK has a session', withinMs: 60_000 });
    await endsWhenCalm(cluster);
    const hubbub = connectHubbub({ redisUrl: redis.url, redisPrefix: redis.prefix });
    cleanup(() => hubbub.close());
    const { refusals } = await hubbub.explain({ user: `refused-${statuses.indexOf(429)}` });
    expect(refusals).toMatchObject([{ node: 'edge-1', code: 'RATE_LIMITED', limit: 'overload' }]);
  }, 180_000);

  test('is measured and logged, but all are admitted, if HUBBUB_SHED_OVERLOAD is false', async () => {
    const redis = await startRedis({ own: true });
    const cluster = await startCluster({ edges: 1, redis, env: { ...env, HUBBUB_SHED_OVERLOAD: 'false' } });
    const edge = cluster.edge(0);
    await redis.pause();
    await enter(cluster, 'waits');
    await eventually(
      async () => (await metricValue(edge, 'hubbub_edge_overload_pressure{signal="subscriptions"}')) > 2,
    );
    const statuses = await Promise.all(Array.from({ length: 20 }, (_, i) => handshake(cluster, `admitted-${i}`)));
    expect(new Set(statuses)).toEqual(new Set([101]));
    expect(await share(edge)).toBe(0);
    await redis.resume();
  });
});

describe('report logs that are full', () => {
  /** Fills the logs of all partitions with entries that presence skips. */
  const FILL = `for i = 1, 1000 do redis.call('XADD', KEYS[1], '*', 'r', '[1,"gone/1"]') end return 1`;

  test('make reports wait at the edge, which refuses newcomers; afterwards the rosters are right, without a resync', async () => {
    const cluster = await startCluster({ edges: 1, env: { ...SHEDS, ...NO_LOOP } });
    const { redis } = cluster;
    const edge = cluster.edge(0);
    const [alice, bob] = [await member(cluster, 'alice'), await member(cluster, 'bob')];
    cluster.presence[0]?.pause();
    cleanup(() => cluster.presence[0]?.resume());
    for (let partition = 0; partition < 16; partition++) {
      const key = `${redis.prefix}:presence:{p${partition}}:reports`;
      // In steps, so that the script does not delay the probes of the edge.
      for (let step = 0; step < 10; step++) await redis.cli('EVAL', FILL, '1', key);
    }
    // The leave and the joins of these sessions wait.
    await everythingWorks(alice, bob, 'full');
    await edge.process.output.waitForLog({ event: 'report_log_full' });
    await edge.process.output.waitForLog({ event: 'overload_began' });
    await eventually(async () => (await share(edge)) > 0.9, { describe: 'most are refused' });
    const refusal = await connectRefusedEventually(cluster);
    expect(refusal).toBe(429);
    expect(await metricValue(edge, 'hubbub_edge_waiting_reports')).toBeGreaterThan(0);
    await everythingWorks(alice, bob, 'still');
    await alice.close();

    cluster.presence[0]?.resume();
    await edge.process.output.waitForLog({ event: 'report_log_taken' }, { withinMs: 60_000 });
    await eventually(async () => (await metricValue(edge, 'hubbub_edge_waiting_reports')) === 0);
    await endsWhenCalm(cluster);
    bob.send({ type: 'online_users', id: 'q', room: 'general' });
    const roster = await bob.nextFrame('online_users');
    expect((roster.payload as { users: { id: string }[] }).users.map(({ id }) => id)).toEqual(['bob']);
    expect(edge.process.output.logs.filter(({ event }) => event === 'presence_resync')).toEqual([]);
  }, 180_000);

  async function connectRefusedEventually(cluster: TestCluster): Promise<number> {
    for (let i = 0; ; i++) {
      const status = await handshake(cluster, `newcomer-${i}`);
      if (status !== 101) return status;
    }
  }
});

describe('a Redis that does not answer publishes', () => {
  test('gets only as many as it answers in time; the edge refuses the others, and every accepted one is acknowledged', async () => {
    const redis = await startRedis({ own: true });
    const cluster = await startCluster({ edges: 1, redis, env: { ...SHEDS, ...UNLIMITED_FRAMES } });
    const edge = cluster.edge(0);
    const [alice, bob] = [await member(cluster, 'alice'), await member(cluster, 'bob')];
    await redis.pause();
    for (let i = 0; i < PUBLISHES; i++) {
      alice.send({ type: 'send_message', id: `m${i}`, room: 'general', payload: { text: `m${i}` } });
    }
    const refused = new Set<string>();
    while (refused.size < PUBLISHES - WINDOW) {
      const { id, payload } = await alice.nextFrame('error');
      expect(payload).toMatchObject({ code: 'UNAVAILABLE', retry_after_ms: expect.any(Number) });
      refused.add(String(id));
    }
    expect(await metricValue(edge, 'hubbub_edge_publishes_in_flight')).toBe(WINDOW);
    await redis.resume();
    for (let i = 0; i < PUBLISHES; i++) {
      if (refused.has(`m${i}`)) continue;
      await alice.nextFrame({ type: 'ack', id: `m${i}` });
      await bob.nextFrame({ type: 'new_message', payload: { text: `m${i}` } });
    }
    expect(await limitCount(edge, 'publishes_in_flight')).toBe(PUBLISHES - WINDOW);
    await everythingWorks(alice, bob, 'afterwards');
  });
});
