/** The log answers "why was I refused?", and at `debug` shows connects, joins and closes. */

import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { startCluster, startEmbedded, type TestCluster, type TestEdge } from '../support/cluster.js';
import { connect, connectRefused } from '../support/raw-client.js';

const logOf = ({ process }: TestEdge, event: string, code: string) => process.output.waitForLog({ event, code });

describe('a refusal', () => {
  let cluster: TestCluster;
  let edge: TestEdge;
  beforeAll(async () => {
    cluster = await startEmbedded({ env: { HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '1', HUBBUB_MAX_ROOMS: '1' } });
    edge = cluster.edge(0);
  });
  const from = (n: number) => `127.0.0.${n}`;

  test.each([
    ['an origin', 'ORIGIN_NOT_ALLOWED', 'u1', { origin: 'https://evil.example' }, { origin: 'https://evil.example' }],
    ['a host', 'FORBIDDEN', 'u1', { host: 'evil.example' }, { host: 'evil.example' }],
  ] as const)('of %s is logged with its value', async (_, code, user, headers, fields) => {
    await connectRefused(edge.wsUrl, { token: cluster.token({ user }), headers, localAddress: from(2) });
    const line = await logOf(edge, 'connection_refused', code);
    expect(line).toMatchObject({ level: 'warn', reason: expect.any(String), address: from(2), ...fields });
  });

  test('of a token is logged with the claim that is wrong, and without the token', async () => {
    const token = cluster.token({ user: 'x'.repeat(200) });
    await connectRefused(edge.wsUrl, { token, localAddress: from(3) });
    expect(await logOf(edge, 'connection_refused', 'UNAUTHORIZED')).toMatchObject({
      reason: expect.stringContaining('claim sub'),
    });
    expect(edge.process.output.lines.join('\n')).not.toContain(token);
  });

  test('for an upgrade that asks for a close frame is logged too', async () => {
    const token = cluster.token({ user: 'u1' });
    const client = await connect(`${edge.socketUrl('/rooms/a%20b/ws')}?errors=close`, { token, localAddress: from(4) });
    expect((await client.closed).code).toBe(4204);
    await logOf(edge, 'connection_refused', 'INVALID_ROOM');
  });

  test('for a right, or a limit, of a frame is logged with user, session and room', async () => {
    const token = cluster.token({ user: 'ada', rooms: ['general', 'news'] });
    const client = await connect(edge.wsUrl, { token, localAddress: from(5) });
    const welcome = await client.nextFrame('welcome');
    await client.ask({ type: 'join_room', payload: { room_id: 'secret:1' } });
    const session = welcome.payload?.session_id;
    expect(await logOf(edge, 'frame_refused', 'FORBIDDEN')).toMatchObject({
      level: 'warn',
      reason: expect.stringContaining('`secret:1`'),
      ...{ type: 'join_room', user: 'ada', session },
    });
    await client.join('general');
    await client.ask({ type: 'resume', payload: { rooms: [{ room_id: 'news' }] } });
    expect(await logOf(edge, 'frame_refused', 'ROOM_LIMIT')).toMatchObject({ limit: 'rooms', type: 'resume', session });

    await connectRefused(edge.wsUrl, { token, localAddress: from(5) });
    const limited = { limit: 'address_connections', address: from(5) };
    expect(await logOf(edge, 'connection_refused', 'RATE_LIMITED')).toMatchObject(limited);
  });

  test('of many frames makes few lines, and the next one counts those that were held back', async () => {
    const client = await connect(edge.wsUrl, { token: cluster.token({ user: 'bob' }), localAddress: from(6) });
    const lines = () => edge.process.output.logs.filter(({ user, code }) => user === 'bob' && code === 'NOT_IN_ROOM');
    const beganAtMs = performance.now();
    const refuse = () => client.ask({ type: 'send_message', room: 'general', payload: {} });
    for (let sent = 0; sent < 30; sent++) await refuse();
    const hasCounted = async () => {
      await refuse();
      return lines().some(({ suppressed }) => Number(suppressed) > 0);
    };
    await eventually(hasCounted, { describe: 'a line counts the others' });
    expect(lines().length).toBeLessThanOrEqual(2 + (performance.now() - beganAtMs) / 1000);
  });
});

test('in production without allowed origins an edge warns at its start, and presence does not', async () => {
  const cluster = await startCluster({ edges: 1, env: { NODE_ENV: 'production' } });
  const warning = { event: 'no_allowed_origins' };
  expect(await cluster.edge(0).process.output.waitForLog(warning)).toMatchObject({ level: 'warn' });
  const [presence] = cluster.presence;
  await presence?.kill('SIGTERM'); // Its last line follows all lines of the start.
  expect(presence?.output.lines.join('\n')).toContain('"stopping"');
  expect(presence?.output.lines.join('\n')).not.toContain(warning.event);
});

describe('connects, joins and closes', () => {
  const EVENTS = ['session_connected', 'room_joined', 'session_closed'];
  const story = async (level: string): Promise<TestEdge> => {
    const cluster = await startEmbedded({ env: { HUBBUB_LOG_LEVEL: level } });
    const client = await connect(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'ada' }) });
    await client.join('general');
    await client.close();
    await cluster.stop();
    return cluster.edge(0);
  };

  test('are logged at debug, with session, user, room and close code', async () => {
    const { process } = await story('debug');
    const logged = process.output.logs.filter(({ event }) => EVENTS.includes(String(event)));
    expect(logged).toMatchObject([
      { event: 'session_connected', level: 'debug', user: 'ada', address: '127.0.0.1', encoding: 'json' },
      { event: 'room_joined', user: 'ada', room: 'general' },
      { event: 'session_closed', user: 'ada', code: 1000 },
    ]);
    expect(new Set(logged.map(({ session }) => session)).size).toBe(1);
  });

  test('are not logged at info', async () => {
    const { process } = await story('info');
    expect(process.output.logs.filter(({ event }) => EVENTS.includes(String(event)))).toEqual([]);
  });
});
