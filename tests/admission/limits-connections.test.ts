/** Limits of connections and handshakes: each one reached and exceeded over the wire (PROTOCOL.md section 6). */
import { connect as connectTcp, type Socket } from 'node:net';
import { eventually, metricValue } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startCluster, startEmbedded, type TestCluster, type TestEdge } from '../support/cluster.js';
import { connect, connectRefused } from '../support/raw-client.js';
import { startAuthorizer } from './authorizer-double.js';
import { limitCount } from './limit-count.js';

const HERE = '127.0.0.2';
const THERE = '127.0.0.3';

function portOf({ httpUrl }: TestEdge): number {
  return Number(new URL(httpUrl).port);
}

interface RawConnection {
  readonly socket: Socket;
  /** Resolves with what the edge sent when the connection has ended. */
  readonly ended: Promise<string>;
}

function openTcp(edge: TestEdge, localAddress = '127.0.0.1'): RawConnection {
  const socket = connectTcp({ port: portOf(edge), host: '127.0.0.1', localAddress });
  cleanup(() => socket.destroy());
  let reply = '';
  socket.on('data', data => {
    reply += data;
  });
  socket.on('error', () => {}); // `close` follows.
  const ended = new Promise<string>(resolve => {
    socket.on('close', () => resolve(reply));
  });
  return { socket, ended };
}

const openerOf = (cluster: TestCluster) => (user: string, edge: number, localAddress: string) =>
  connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user }), localAddress });

describe('connections of an address', () => {
  test('one too many is answered 429 with Retry-After, others are not touched, who leaves makes room; each edge counts its own', async () => {
    const cluster = await startCluster({ edges: 2, env: { HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '3' } });
    const open = openerOf(cluster);
    const refused = (edge: number) =>
      connectRefused(cluster.edge(edge).wsUrl, { token: cluster.token({ user: 'late' }), localAddress: HERE });
    const [first] = [await open('a', 0, HERE), await open('b', 0, HERE), await open('c', 0, HERE)];
    const refusal = await refused(0);
    expect(refusal.status).toBe(429);
    expect(JSON.parse(refusal.body)).toMatchObject({ code: 'RATE_LIMITED' });
    const retryAfterSeconds = Number(refusal.headers['retry-after']);
    expect(retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(retryAfterSeconds).toBeLessThanOrEqual(10);
    await open('d', 0, THERE);
    for (const user of ['a', 'b', 'c']) await open(user, 1, HERE);
    expect((await refused(1)).status).toBe(429);

    expect(await limitCount(cluster.edge(0), 'address_connections')).toBe(1);
    expect(await metricValue(cluster.edge(0), 'hubbub_edge_handshakes_total{result="RATE_LIMITED"}')).toBe(1);
    expect(await metricValue(cluster.edge(0), 'hubbub_edge_addresses')).toBe(2);
    const hint = await cluster.edge(0).process.output.waitForLog({ event: 'address_refused', address: HERE });
    expect(hint.msg).toContain('HUBBUB_TRUSTED_PROXIES');

    await first?.close();
    await eventually(() => open('e', 0, HERE), { describe: 'there is room for one' });
    expect((await refused(0)).status).toBe(429);
  });

  test('silent connections have as many places, and one more is ended immediately', async () => {
    const cluster = await startEmbedded({ env: { HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '3' } });
    const edge = cluster.edge(0);
    const silent = [openTcp(edge, HERE), openTcp(edge, HERE), openTcp(edge, HERE)];
    await eventually(async () => (await metricValue(edge, 'hubbub_edge_half_open_connections')) === 3);
    expect(await openTcp(edge, HERE).ended).toBe('');
    expect(await limitCount(edge, 'silent_connections')).toBe(1);
    await openerOf(cluster)('other', 0, THERE);
    for (const { socket } of silent) socket.destroy();
    await eventually(async () => (await metricValue(edge, 'hubbub_edge_half_open_connections')) === 0);
    expect(await metricValue(edge, 'hubbub_edge_connections_unheard_total')).toBe(3);
    await openerOf(cluster)('again', 0, HERE);
    expect(await metricValue(edge, 'hubbub_edge_addresses')).toBe(2);
  });

  test('the place of a request is given back after any outcome', async () => {
    const authorizer = await startAuthorizer();
    const cluster = await startEmbedded({
      env: {
        HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '2',
        HUBBUB_AUTHORIZER_URL: authorizer.url,
        HUBBUB_AUTHORIZE_CONNECTIONS: 'true',
        HUBBUB_AUTHORIZER_CACHE_MS: '0',
      },
    });
    const edge = cluster.edge(0);
    const open = openerOf(cluster);
    const statusOf = async (user: string, token = cluster.token({ user })) =>
      (await connectRefused(edge.wsUrl, { name: user, token, localAddress: HERE })).status;
    for (let n = 0; n < 5; n++) expect(await statusOf('nonsense', 'nonsense')).toBe(401);
    authorizer.answer = (_, response) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ allow: false }));
    for (let n = 0; n < 5; n++) expect(await statusOf('no')).toBe(403);
    // Two are being judged, and then hang up: a third finds no place before, and one after.
    authorizer.answer = () => {};
    const judged = [openTcp(edge, HERE), openTcp(edge, HERE)];
    for (const { socket } of judged) socket.write(upgradeRequest(cluster.token({ user: 'slow' })));
    await eventually(() => authorizer.askedOf('slow').length === 1); // The same question is asked once.
    await eventually(async () => (await statusOf('third')) === 429);
    for (const { socket } of judged) socket.destroy();
    authorizer.answer = (_, response) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ allow: true }));
    await eventually(() => open('a', 0, HERE));
    await open('b', 0, HERE);
    expect(await statusOf('c')).toBe(429);
    for (const path of ['/ws', '/nothing']) await fetch(`${edge.httpUrl}${path}`);
    await eventually(async () => (await metricValue(edge, 'hubbub_edge_half_open_connections')) === 0);
    await eventually(async () => (await metricValue(edge, 'hubbub_edge_addresses')) === 1);
  });
});

test('sessions that somebody had to be asked about stay, however many there are', async () => {
  const authorizer = await startAuthorizer();
  const cluster = await startEmbedded({
    env: { HUBBUB_AUTHORIZER_URL: authorizer.url, HUBBUB_AUTHORIZE_CONNECTIONS: 'true' },
  });
  for (let round = 0; round < 10; round++) {
    const users = Array.from({ length: 20 }, (_, index) => `user-${round}-${index}`);
    const clients = await Promise.all(users.map(user => openerOf(cluster)(user, 0, HERE)));
    for (const client of clients) await client.ping();
  }
  expect(await metricValue(cluster.edge(0), 'hubbub_edge_sessions')).toBe(200);
});

test('handshakes of a second: above them 429 with Retry-After, half of them for one address; the next second is another', async () => {
  const cluster = await startEmbedded({ env: { HUBBUB_MAX_HANDSHAKES_PER_SECOND: '20' } });
  const { wsUrl } = cluster.edge(0);
  const attempt = async (localAddress: string) => {
    const token = cluster.token({ user: localAddress });
    const refusal = await connectRefused(wsUrl, { token, localAddress }).catch(() => undefined);
    if (refusal === undefined) return 101;
    expect(Number(refusal.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    return refusal.status;
  };
  const count = async (localAddress: string) => {
    const statuses = await Promise.all(Array.from({ length: 60 }, () => attempt(localAddress)));
    expect(statuses.every(status => status === 101 || status === 429)).toBe(true);
    return statuses.filter(status => status === 101).length;
  };
  const [here, there] = await Promise.all([count(HERE), count(THERE)]);
  // At least a second's worth each; more where the machine was slow and a second passed.
  for (const admitted of [here, there]) expect(admitted).toBeGreaterThanOrEqual(8);
  expect(here + there).toBeLessThan(120);
  expect(await limitCount(cluster.edge(0), 'handshakes')).toBe(120 - here - there);
  await eventually(async () => (await attempt(HERE)) === 101, { describe: 'a later second admits' });
});

describe('unauthenticated time', () => {
  test('a connection that sends nothing, drips, or stops half-way is ended by the engine, and a session is not', async () => {
    const cluster = await startEmbedded();
    const edge = cluster.edge(0);
    const session = await openerOf(cluster)('bystander', 0, HERE);
    const [silent, dripping, stopped] = [openTcp(edge), openTcp(edge), openTcp(edge)];
    stopped.socket.write('GET /ws HTTP/1.1\r\nhost: localhost\r\n');
    dripping.socket.write('GET /ws HTTP/1.1\r\n');
    const drip = setInterval(() => dripping.socket.write('a: b\r\n'), 500);
    cleanup(() => clearInterval(drip));
    // The engine's own time, 10 to 14 s: on a busy machine the time is not judged.
    await Promise.all([silent.ended, dripping.ended, stopped.ended]);
    await session.ping();
    expect(await metricValue(edge, 'hubbub_edge_connections_unheard_total')).toBe(3);
  });

  test('a connection has one request: several in one segment get at most one answer, and count once', async () => {
    const edge = (await startEmbedded({ env: { HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '5' } })).edge(0);
    for (const path of ['/ws/online', '/nothing', '/ws', '/']) {
      for (let n = 0; n < 6; n++) {
        const silent = openTcp(edge);
        const asking = openTcp(edge);
        asking.socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(3));
        const reply = await Promise.race([asking.ended, silent.ended.then(() => 'ended only by the time limit')]);
        expect(reply).not.toContain('time limit');
        expect(reply.match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThanOrEqual(1);
        silent.socket.destroy();
      }
    }
    expect(await (await fetch(`${edge.httpUrl}/ws/online`)).json()).toEqual({ online: 0 });
    await eventually(async () => (await metricValue(edge, 'hubbub_edge_addresses')) === 0);
    expect(await metricValue(edge, 'hubbub_edge_half_open_connections')).toBe(0);
  });

  test('a request without an answer in time is refused with 503 and Retry-After', async () => {
    const authorizer = await startAuthorizer();
    authorizer.answer = () => {};
    const cluster = await startEmbedded({
      env: {
        HUBBUB_AUTHORIZER_URL: authorizer.url,
        HUBBUB_AUTHORIZE_CONNECTIONS: 'true',
        HUBBUB_AUTHORIZER_TIMEOUT_MS: '60000',
        HUBBUB_HANDSHAKE_TIMEOUT_MS: '1000',
      },
    });
    const refused = await connectRefused(cluster.edge(0).wsUrl, { token: cluster.token({ user: 'u' }) });
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await limitCount(cluster.edge(0), 'handshake_time')).toBe(1);
  });
});

describe('headers', () => {
  const refusalOf = async (cluster: TestCluster, bytes: number) => {
    const connection = openTcp(cluster.edge(0));
    connection.socket.write(`GET /nothing HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(bytes)}\r\n\r\n`);
    return (await connection.ended).split('\r\n')[0];
  };
  const longToken = (cluster: TestCluster, rooms: number) =>
    cluster.token({ user: 'u', rooms: Array.from({ length: rooms }, (_, n) => `room-with-a-long-name-${n}`) });

  test('larger ones are answered 431 and the connection ends; a token in them counts', async () => {
    const cluster = await startEmbedded();
    expect(await refusalOf(cluster, 3500)).toBe('HTTP/1.1 404 Not Found');
    expect(await refusalOf(cluster, 5000)).toBe('HTTP/1.1 431 Request Header Fields Too Large');
    const refused = await connectRefused(cluster.edge(0).wsUrl, { token: longToken(cluster, 200) });
    expect(refused.status).toBe(431);
  });

  test('with a larger setting a long token opens a session', async () => {
    const cluster = await startEmbedded({ env: { HUBBUB_MAX_HEADER_BYTES: '16384' } });
    const client = await connect(cluster.edge(0).wsUrl, { token: longToken(cluster, 200) });
    await client.join('room-with-a-long-name-199');
    expect(await refusalOf(cluster, 20_000)).toBe('HTTP/1.1 431 Request Header Fields Too Large');
  });
});

function upgradeRequest(token: string): string {
  return [
    'GET /ws HTTP/1.1',
    'host: localhost',
    'connection: Upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
    `authorization: Bearer ${token}`,
    '\r\n',
  ].join('\r\n');
}
