/** `hubbub edge --workers N`: several edges on one port that come and go while new connections keep coming. */

import { eventually, metricValue, signToken, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startProcess, type TestProcess } from '../support/process.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { startRedis } from '../support/redis.js';

const WORKERS = 2;

async function startWorkers(env: Readonly<Record<string, string>> = {}): Promise<TestProcess> {
  const redis = await startRedis();
  return await startProcess(['edge', '--workers', String(WORKERS)], {
    ownGroup: true,
    env: {
      HUBBUB_NODE_ID: 'edge',
      HUBBUB_PORT: '0',
      HUBBUB_ADMIN_PORT: '0',
      HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
      HUBBUB_REDIS_URL: redis.url,
      HUBBUB_REDIS_PREFIX: redis.prefix,
      HUBBUB_DRAIN_WINDOW_MS: '1000',
      HUBBUB_SHUTDOWN_TIMEOUT_MS: '5000',
      ...env,
    },
  });
}

function session(edge: TestProcess, user: string): Promise<RawClient> {
  return connect(`ws://127.0.0.1:${edge.port}/ws`, { name: user, token: signToken({ user }) });
}

async function sessions(edge: TestProcess, count: number): Promise<RawClient[]> {
  const opened = await Promise.all(Array.from({ length: count }, (_, i) => session(edge, `user-${i}`)));
  for (const client of opened) await client.nextFrame('welcome');
  return opened;
}

async function readiness(edge: TestProcess) {
  const answer = await fetch(`${edge.adminUrl}/readyz`);
  return { status: answer.status, ...((await answer.json()) as { checks: Record<string, string> }) };
}

/** The newest process of the worker. */
function pidOf(edge: TestProcess, nodeId: string): number {
  const line = edge.output.logs.findLast(log => log.worker === nodeId && log.event === 'worker_started');
  if (typeof line?.pid !== 'number') throw new Error(`${nodeId} was not started`);
  return line.pid;
}

/** Opens and closes sessions without a pause until `stop`, which returns the errors. */
function streamOfConnections(edge: TestProcess) {
  const refused: string[] = [];
  let opened = 0;
  let going = true;
  const one = async (): Promise<void> => {
    while (going) {
      try {
        const client = await session(edge, `visitor-${opened}`);
        opened++;
        await client.nextFrame('welcome');
        await client.close();
      } catch (error) {
        refused.push(String(error));
      }
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  };
  const streams = [one(), one(), one(), one()];
  return {
    async stop() {
      going = false;
      await Promise.all(streams);
      return { opened, refused };
    },
  };
}

describe('workers', () => {
  test('share one port, talk to each other over Redis, and have one admin port', async () => {
    const edge = await startWorkers();
    const clients = await sessions(edge, 40);
    expect(await metricValue(edge, 'hubbub_edge_sessions')).toBe(40);
    expect(await metricValue(edge, 'hubbub_edge_workers')).toBe(WORKERS);
    expect(await readiness(edge)).toMatchObject({ status: 200, checks: { workers: '2 of 2 are ready' } });
    await Promise.all(clients.map(client => client.join('general')));
    const [alice, ...others] = clients;
    await alice?.ask({ type: 'send_message', room: 'general', payload: { n: 1 } });
    for (const other of others) await other.nextFrame({ type: 'new_message', payload: { n: 1 } });
    expect(await edge.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  test('are replaced one after the other on SIGHUP, and of a stream of new connections none is refused', async () => {
    const edge = await startWorkers();
    const clients = await sessions(edge, 20);
    const before = [1, 2].map(number => pidOf(edge, `edge-${number}`));
    const stream = streamOfConnections(edge);
    edge.child.kill('SIGHUP');
    await edge.output.waitForLog({ event: 'replaced', workers: WORKERS });
    const { opened, refused } = await stream.stop();
    console.log(`${opened} connections during the replacement, ${refused.length} refused`, refused);
    expect(refused).toEqual([]);
    expect(opened, 'each of four streams connected').toBeGreaterThanOrEqual(4);
    for (const pid of before) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    // Every client got `reconnect` and was closed in good order, not cut off.
    for (const client of clients) expect((await client.closed).code).toBe(1012);
    expect((await readiness(edge)).status).toBe(200);
    expect(await metricValue(edge, 'hubbub_edge_worker_restarts_total')).toBe(0);
  });

  test('are replaced when they are killed, and the others serve meanwhile', async () => {
    const edge = await startWorkers();
    process.kill(pidOf(edge, 'edge-1'), 'SIGKILL');
    await edge.output.waitForLog({ event: 'worker_crashed', worker: 'edge-1', signal: 'SIGKILL' });
    await (await session(edge, 'meanwhile')).nextFrame('welcome');
    await edge.output.waitForLog({ event: 'worker_restarted', worker: 'edge-1' });
    await eventually(async () => (await readiness(edge)).status === 200);
    expect(await metricValue(edge, 'hubbub_edge_worker_restarts_total')).toBe(1);
  });

  test('survive a SIGHUP to their process group, as from a closed terminal, while they start or serve', async () => {
    const edge = await startWorkers();
    const clients = await sessions(edge, 10);
    const started = () => edge.output.logs.filter(({ event }) => event === 'worker_started').length;
    process.kill(pidOf(edge, 'edge-1'), 'SIGKILL');
    await eventually(() => started() === WORKERS + 1, { describe: 'another worker starts' });
    process.kill(-edge.pid, 'SIGHUP');
    await edge.output.waitForLog({ event: 'replaced', workers: WORKERS });
    await eventually(async () => (await readiness(edge)).status === 200);
    expect(await metricValue(edge, 'hubbub_edge_worker_restarts_total')).toBe(1); // The one that was killed above.
    // The killed worker cut its sessions off; the other one drained them.
    const codes = await Promise.all(clients.map(async client => (await client.closed).code));
    expect(new Set([1006, 1012, ...codes])).toEqual(new Set([1006, 1012]));
    expect(codes).toContain(1012);
  });

  test('end with their parent, however it ends', async () => {
    const edge = await startWorkers();
    for (const number of [1, 2]) cleanup(() => void tryKill(pidOf(edge, `edge-${number}`)));
    // Resolves when no process holds its output: the workers have ended, too.
    expect(await edge.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    expect(edge.output.logs.filter(({ event }) => event === 'stopped').map(({ nodeId }) => nodeId)).toHaveLength(2);
  });

  test('end immediately when the parent gets a second signal', async () => {
    const edge = await startWorkers({ HUBBUB_DRAIN_DELAY_MS: '3000' });
    const exit = edge.kill('SIGTERM');
    await eventually(async () => (await readiness(edge)).status === 503);
    edge.child.kill('SIGTERM');
    // 143: they did not wait for the delay, after which they would end with 0.
    expect((await exit).code).toBe(143);
  });

  test('do not start on a port of another program, and the error names the setting', async () => {
    const edge = await startWorkers();
    await expect(startWorkers({ HUBBUB_PORT: String(edge.port) })).rejects.toThrow(/Cannot listen on .*HUBBUB_PORT/s);
  });
});

function tryKill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false; // It has ended, as it should.
  }
}
