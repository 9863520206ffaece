/** `?errors=close` upgrades a connection only to refuse it: such connections are bounded in number and in time, and do not harm others. */
import { connect as connectTcp, type Socket } from 'node:net';
import { eventually, metricValue, signToken, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startProcess, type TestProcess } from '../support/process.js';
import { connect } from '../support/raw-client.js';
import { limitCount } from './limit-count.js';

const HERE = '127.0.0.2';
const FLOOD = 300;
const HANDSHAKE = [
  'GET /ws?errors=close&token=nonsense HTTP/1.1',
  'host: localhost',
  'connection: Upgrade',
  'upgrade: websocket',
  'sec-websocket-version: 13',
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');

/** A client that never closes its side. Resolves with the status of the answer; 0 where the connection ended without one. */
function floodOnce(edge: TestProcess): { readonly socket: Socket; readonly status: Promise<number> } {
  const socket = connectTcp({ port: edge.port, host: '127.0.0.1', localAddress: HERE, allowHalfOpen: true });
  cleanup(() => socket.destroy());
  socket.on('error', () => {}); // `close` follows.
  socket.write(HANDSHAKE);
  const status = new Promise<number>(resolve => {
    socket.once('data', answer => resolve(Number(String(answer).split(' ', 2)[1])));
    socket.once('end', () => resolve(0));
    socket.once('close', () => resolve(0));
  });
  return { socket, status };
}

/** An edge with descriptors for about 130 sessions. The shortest idle timeout makes the engine close refused clients soonest. */
function startSmall(): Promise<TestProcess> {
  return startProcess(['start'], {
    descriptors: 256,
    env: {
      HUBBUB_HOST: '127.0.0.1',
      HUBBUB_PORT: '0',
      HUBBUB_ADMIN_PORT: '0',
      HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
      HUBBUB_MAX_HANDSHAKES_PER_SECOND: '0',
      HUBBUB_IDLE_TIMEOUT_MS: '8000',
    },
  });
}

const enter = (edge: TestProcess, user: string, localAddress: string) =>
  connect(`ws://127.0.0.1:${edge.port}/ws`, { name: user, token: signToken({ user }), localAddress });

test('clients that never close hold a bounded number of connections for a bounded time, and others do not notice', async () => {
  const edge = await startSmall();
  const bystander = await enter(edge, 'bystander', '127.0.0.3');
  const neighbor = await enter(edge, 'neighbor', HERE);
  const open = () => metricValue(edge, 'process_open_fds');
  const before = await open();

  const flood: Socket[] = [];
  const statuses: number[] = [];
  for (let n = 0; n < FLOOD; n++) {
    const { socket, status } = floodOnce(edge);
    flood.push(socket);
    statuses.push(await status);
  }
  const upgraded = statuses.filter(status => status === 101).length;
  expect(upgraded).toBeGreaterThan(0);
  expect(upgraded).toBeLessThan(FLOOD / 4);
  expect(statuses.filter(status => status === 401)).toHaveLength(FLOOD - upgraded);
  expect(await limitCount(edge, 'refused_upgrades')).toBe(FLOOD - upgraded);
  await bystander.ping();
  await neighbor.ping();
  await enter(edge, 'newcomer', HERE);

  await eventually(async () => (await open()) <= before + 3, { describe: 'their descriptors are free again' });
  expect(flood.some(socket => socket.writable)).toBe(true); // It was the edge that closed.
  await eventually(async () => (await floodOnce(edge).status) === 101, { describe: 'their places are free again' });
  expect(await metricValue(edge, 'hubbub_edge_sessions')).toBe(3);
});

test('refused upgrades that have ended take no descriptor from anybody', async () => {
  const edge = await startSmall();
  const codes: number[] = [];
  for (let n = 0; n < FLOOD; n++) {
    const url = `ws://127.0.0.1:${edge.port}/ws?errors=close`;
    const refused = await connect(url, { token: 'nonsense' }).catch(() => undefined);
    codes.push(refused === undefined ? 401 : (await refused.closed).code);
  }
  expect(new Set(codes)).toEqual(new Set([4101, 401]));
  await (await enter(edge, 'late', HERE)).ping();
  expect(await limitCount(edge, 'descriptors')).toBe(0);
});
