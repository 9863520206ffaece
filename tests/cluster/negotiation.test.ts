/** Negotiation before the first frame: subprotocol, features, pace, and the form of refusals. */
import { FEATURES, readRefusalReason } from '@hubbub/protocol';
import { eventually, metricValue, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { createSigner } from 'fast-jwt';
import { beforeAll, describe, expect, test } from 'vitest';
import { startEmbedded, type TestCluster } from '../support/cluster.js';
import { type ConnectOptions, connect, connectRefused } from '../support/raw-client.js';

let cluster: TestCluster;
let url: string;

beforeAll(async () => {
  cluster = await startEmbedded();
  url = cluster.edge(0).wsUrl;
});

const token = (): string => cluster.token({ user: 'u' });

describe('the welcome', () => {
  test('names the features, the pace of pings and reconnects, and the idle timeout', async () => {
    const client = await connect(url, { token: token() });
    expect((await client.nextFrame('welcome')).payload).toMatchObject({
      features: [...FEATURES],
      ping_interval_ms: 25_000,
      idle_timeout_ms: 60_000,
      backoff: { base_ms: 1_000, cap_ms: 30_000 },
      limits: { idle_timeout_ms: 60_000, max_rooms: 100 },
    });
  });

  test('takes these values from the settings', async () => {
    const other = await startEmbedded({
      env: { HUBBUB_IDLE_TIMEOUT_MS: '10000', HUBBUB_BACKOFF_BASE_MS: '200', HUBBUB_BACKOFF_CAP_MS: '5000' },
    });
    const client = await connect(other.edge(0).wsUrl, { token: token() });
    expect((await client.nextFrame('welcome')).payload).toMatchObject({
      ping_interval_ms: 5_000,
      idle_timeout_ms: 10_000,
      backoff: { base_ms: 200, cap_ms: 5_000 },
    });
  });
});

describe('subprotocols', () => {
  test.each([[['hubbub.v2.json']], [['mqtt', 'hubbub.v2.msgpack']], [['hubbub.v1.cbor']]])(
    'refuses %j with 400 and names the supported ones',
    async subprotocols => {
      const refused = await connectRefused(url, { token: token(), subprotocols });
      expect(refused.status).toBe(400);
      expect(JSON.parse(refused.body)).toMatchObject({
        code: 'UNSUPPORTED_SUBPROTOCOL',
        message: expect.stringContaining('hubbub.v1.json, hubbub.v1.msgpack'),
      });
    },
  );

  test('chooses the supported one beside newer ones', async () => {
    const client = await connect(url, { token: token(), subprotocols: ['hubbub.v2.json', 'hubbub.v1.json'] });
    expect(client.subprotocol).toBe('hubbub.v1.json');
  });
});

describe('refusals by close frame, on request', () => {
  const closed = async (address: string, options: ConnectOptions = {}) => {
    const client = await connect(`${address}?errors=close`, options);
    const { code, reason } = await client.closed;
    expect(client.frames).toEqual([]);
    return { closeCode: code, ...readRefusalReason(reason) };
  };

  test('an invalid token is closed with 4101', async () => {
    expect(await closed(url, { token: 'a.b.c' })).toMatchObject({ closeCode: 4101, code: 'UNAUTHORIZED' });
    expect(await closed(url)).toMatchObject({ closeCode: 4101, code: 'UNAUTHORIZED' });
    const expired = createSigner({ key: TEST_JWT_SECRET, algorithm: 'HS256' })({ sub: 'u', exp: 1 });
    expect(await closed(url, { token: expired, tokenIn: 'subprotocol' })).toMatchObject({
      closeCode: 4101,
      message: 'The token has expired (claim exp).',
    });
  });

  test('a room that the token does not grant and a wrong origin are closed with 4203', async () => {
    const narrow = cluster.token({ user: 'u', rooms: ['chat:*'] });
    expect(await closed(cluster.edge(0).roomUrl('quiz:1'), { token: narrow })).toMatchObject({
      closeCode: 4203,
      code: 'FORBIDDEN',
    });
    const strict = await startEmbedded({ env: { HUBBUB_ALLOWED_ORIGINS: 'https://app.example' } });
    const headers = { origin: 'https://evil.example' };
    expect(await closed(strict.edge(0).wsUrl, { token: token(), headers })).toMatchObject({
      closeCode: 4203,
      code: 'ORIGIN_NOT_ALLOWED',
    });
  });

  test('a request that the edge does not understand is closed with 4204', async () => {
    const { roomUrl } = cluster.edge(0);
    expect(await closed(roomUrl('a}b'), { token: token() })).toMatchObject({ closeCode: 4204, code: 'INVALID_ROOM' });
    expect(await closed(url, { token: token(), subprotocols: ['hubbub.v2.json'] })).toMatchObject({
      closeCode: 4204,
      code: 'UNSUPPORTED_SUBPROTOCOL',
    });
  });

  test('excess connections are closed with 4002 and a delay, and do not count', async () => {
    const small = (await startEmbedded({ env: { HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '2' } })).edge(0);
    const options = { token: token(), localAddress: '127.0.0.2' };
    const first = await connect(small.wsUrl, options);
    await connect(small.wsUrl, options);
    for (let n = 0; n < 5; n++) {
      const refusal = await closed(small.wsUrl, options);
      expect(refusal).toMatchObject({ closeCode: 4002, code: 'RATE_LIMITED' });
      expect(refusal.retryAfterMs).toBeGreaterThanOrEqual(1_000);
      expect(refusal.retryAfterMs).toBeLessThanOrEqual(10_000);
    }
    expect(await metricValue(small, 'hubbub_edge_handshakes_total{result="RATE_LIMITED"}')).toBe(5);
    expect(await metricValue(small, 'hubbub_edge_sessions')).toBe(2);
    await first.close();
    await eventually(() => connect(small.wsUrl, options), { describe: 'there is room for one' });
  });

  test('an unreachable authorizer leads to 1013 and a delay', async () => {
    const alone = await startEmbedded({
      env: {
        HUBBUB_AUTHORIZER_URL: 'http://127.0.0.1:9/authorize',
        HUBBUB_AUTHORIZE_CONNECTIONS: 'true',
        HUBBUB_IDLE_TIMEOUT_MS: '8000',
      },
    });
    for (let n = 0; n < 3; n++) {
      expect(await closed(alone.edge(0).wsUrl, { token: token() })).toMatchObject({
        closeCode: 1013,
        code: 'UNAVAILABLE',
        retryAfterMs: 1_000,
      });
    }
    await eventually(async () => (await metricValue(alone.edge(0), 'hubbub_edge_addresses')) === 0);
  });

  test('an admitted session is unaffected', async () => {
    const client = await connect(`${url}?errors=close`, { token: token() });
    await client.nextFrame('welcome');
    await client.ping();
  });
});
