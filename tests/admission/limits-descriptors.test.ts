/** A process with few file descriptors: it refuses clients, and continues to answer its admin port. */
import { connect as connectTcp } from 'node:net';
import { eventually, metricValue, signToken, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startProcess } from '../support/process.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { limitCount } from './limit-count.js';

const DESCRIPTORS = 256;
const CLIENTS = 300;
const AT_ONCE = 20;

async function startSmall() {
  const process = await startProcess(['start'], {
    name: 'small',
    descriptors: DESCRIPTORS,
    env: {
      HUBBUB_HOST: '127.0.0.1',
      HUBBUB_PORT: '0',
      HUBBUB_ADMIN_PORT: '0',
      HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
      HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '0',
      HUBBUB_MAX_HANDSHAKES_PER_SECOND: '0',
      HUBBUB_DRAIN_WINDOW_MS: '0',
    },
  });
  const attempt = (user: string): Promise<RawClient | number> =>
    connect(`ws://127.0.0.1:${process.port}/ws`, { name: user, token: signToken({ user }) }).catch(
      (error: { refusal?: { status: number } }) => error.refusal?.status ?? 0,
    );
  const isHealthy = async () => (await fetch(`${process.adminUrl}/healthz`, { signal: AbortSignal.timeout(5000) })).ok;
  return { process, attempt, isHealthy };
}

/** CPU seconds that the process uses in one second. A loop that spins has no end to wait for, so the wait is the measurement. */
async function load(process: { readonly adminUrl: string }): Promise<number> {
  const before = await metricValue(process, 'process_cpu_seconds_total');
  await new Promise(resolve => setTimeout(resolve, 1000));
  return (await metricValue(process, 'process_cpu_seconds_total')) - before;
}

test('more clients than it has descriptors for are answered 503, and the admin port and the sessions live on', async () => {
  const { process, attempt, isHealthy } = await startSmall();
  const results: (RawClient | number)[] = [];
  for (let from = 0; from < CLIENTS; from += AT_ONCE) {
    results.push(...(await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => attempt(`u${from + n}`)))));
  }
  const sessions = results.filter(result => typeof result === 'object');
  const refused = results.filter(result => typeof result === 'number');
  expect(sessions.length).toBeGreaterThan(100);
  expect(new Set(refused)).toEqual(new Set([503]));
  expect(refused.length).toBe(CLIENTS - sessions.length);
  expect(await isHealthy()).toBe(true);
  expect(await limitCount(process, 'descriptors')).toBe(refused.length);
  const lines = process.output.lines.filter(line => line.includes('out_of_descriptors'));
  expect(lines).toHaveLength(1);
  expect(await load(process)).toBeLessThan(0.7);
  await sessions[0]?.ping();
  await sessions[0]?.close();
  await eventually(async () => typeof (await attempt('late')) === 'object', {
    describe: 'there is room for one again',
  });
}, 120_000);

test('simultaneous silent connections do not take the descriptors of the admin port', async () => {
  const { process, attempt, isHealthy } = await startSmall();
  const sockets = Array.from({ length: CLIENTS }, () => {
    const socket = connectTcp({ port: process.port, host: '127.0.0.1' }).on('error', () => {});
    cleanup(() => socket.destroy());
    return socket;
  });
  await eventually(async () => (await limitCount(process, 'descriptors')) >= 100);
  expect(await isHealthy()).toBe(true);
  expect(await metricValue(process, 'process_open_fds')).toBeLessThanOrEqual(DESCRIPTORS - 32);
  expect(await load(process)).toBeLessThan(0.7);
  for (const socket of sockets) socket.destroy();
  await eventually(async () => typeof (await attempt('late')) === 'object');
}, 120_000);
