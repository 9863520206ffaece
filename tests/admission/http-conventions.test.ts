/** Every port follows HTTP's conventions: HEAD, OPTIONS, methods that are not answered, other origins, repeated headers. */
import { connect as connectTcp } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { HubbubClient } from '@hubbub/client';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ApiProcess, PRESENCE_KEY, startApi } from '../api/api-process.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';

let cluster: TestCluster;
let api: ApiProcess;

beforeAll(async () => {
  cluster = await startCluster({
    edges: 1,
    presence: 1,
    env: { HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY, HUBBUB_ALLOWED_ORIGINS: 'https://app.example' },
  });
  api = await startApi(cluster);
});

/** By the name of a port. */
const ports = {
  public: () => cluster.edge(0).httpUrl,
  'admin of an edge': () => cluster.edge(0).adminUrl,
  'admin of presence': () => cluster.presence[0]?.adminUrl ?? '',
  'admin of the API': () => api.process.adminUrl,
  API: () => api.url,
};
type Port = keyof typeof ports;

const PAGES: ReadonlyArray<readonly [Port, string, Record<string, string>]> = [
  ['public', '/ws/online', {}],
  ['admin of an edge', '/healthz', {}],
  ['admin of an edge', '/readyz', {}],
  ['admin of an edge', '/metrics', {}],
  ['admin of presence', '/healthz', {}],
  ['admin of presence', '/openapi.json', {}],
  ['admin of presence', '/online', { authorization: `Bearer ${PRESENCE_KEY}` }],
  ['admin of the API', '/healthz', {}],
  ['API', '/openapi.json', {}],
  ['API', '/online', { authorization: 'Bearer another-key' }],
];

describe.each(PAGES)('%s port, %s', (port, path, headers) => {
  test('HEAD is answered like GET, without the body', async () => {
    const get = await fetch(`${ports[port]()}${path}`, { headers });
    expect(get.status).toBe(200);
    const head = await fetch(`${ports[port]()}${path}`, { method: 'HEAD', headers });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
    expect(await head.text()).toBe('');
  });

  test('OPTIONS lists the methods, and another method is 405', async () => {
    const options = await fetch(`${ports[port]()}${path}`, { method: 'OPTIONS' });
    expect(options.ok).toBe(true);
    expect(await options.text()).toBe('');
    expect(options.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    const other = await fetch(`${ports[port]()}${path}`, { method: 'DELETE', headers });
    expect(other.status).toBe(405);
    expect(other.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });
});

describe('other origins', () => {
  test('an allowed one may read /ws/online, also after a preflight', async () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      const answer = await ask(method, '/ws/online', ['Origin: https://app.example']);
      expect(answer, method).toMatch(/^access-control-allow-origin: https:\/\/app\.example\r$/im);
      expect(answer, method).toMatch(/^vary: origin\r$/im);
    }
    expect(await ask('OPTIONS', '/ws/online', ['Origin: https://app.example'])).toContain(
      'access-control-allow-methods',
    );
  });

  test('another one may not', async () => {
    expect(await ask('GET', '/ws/online', ['Origin: https://evil.example'])).not.toContain('access-control');
  });
});

describe('headers of a handshake', () => {
  const upgrade = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13'];
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';

  test.each([
    ['Authorization', ['Authorization: Bearer a', 'Authorization: Bearer b']],
    ['Origin', ['Origin: https://app.example', 'Origin: https://evil.example']],
  ])('%s twice is 400', async (name, repeated) => {
    const answer = await ask('GET', '/ws', [...upgrade, key, ...repeated]);
    expect(answer).toContain('HTTP/1.1 400');
    expect(answer).toContain(`The request has the header ${name.toLowerCase()} twice; send it once.`);
  });

  test('subprotocols in two headers are one list', async () => {
    const offers = [
      'Sec-WebSocket-Protocol: hubbub.v1.msgpack',
      `Sec-WebSocket-Protocol: bearer.${cluster.token({ user: 'u1' })}`,
    ];
    const answer = await ask('GET', '/ws', [...upgrade, key, ...offers], /\r\n\r\n/);
    expect(answer).toContain('HTTP/1.1 101');
    expect(answer).toMatch(/sec-websocket-protocol: hubbub\.v1\.msgpack/i);
  });

  test('an unknown page is 404 without a body for HEAD', async () => {
    const answer = await ask('HEAD', '/nowhere', []);
    expect(answer).toContain('HTTP/1.1 404');
    expect(answer.split('\r\n\r\n')[1]).toBe('');
  });

  test('that are too large end the client, which reports it; the edge logs that a connection sent no whole request', async () => {
    const client = new HubbubClient({ url: cluster.edge(0).wsUrl, token: `a.${'b'.repeat(8000)}.c` });
    cleanup(() => client.close());
    await expect(client.connect()).rejects.toMatchObject({ code: 'TOO_LARGE', retryable: false });
    await cluster.edge(0).process.output.waitForLog({ event: 'connection_unheard' });
  });
});

test('an API key twice is refused, by the API and by presence', async () => {
  for (const [port, good] of [
    ['API', 'another-key'],
    ['admin of presence', PRESENCE_KEY],
  ] as const) {
    const twice = [`Authorization: Bearer ${good}`, 'Authorization: Bearer wrong'];
    expect(await ask('GET', '/online', twice, undefined, port), port).toContain('HTTP/1.1 400');
  }
});

/** Sends a request as it is written, and returns what comes until the connection ends, or the text matches. */
async function ask(
  method: string,
  path: string,
  headers: string[],
  until?: RegExp,
  port: Port = 'public',
): Promise<string> {
  const { hostname, port: number } = new URL(ports[port]());
  const socket = connectTcp(Number(number), hostname);
  cleanup(() => socket.destroy());
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${hostname}`, ...headers];
  if (until === undefined)
    lines.push(...(headers.some(header => header.startsWith('Upgrade')) ? [] : ['Connection: close']));
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (until === undefined) return await readText(socket);
  let answer = '';
  socket.on('data', bytes => (answer += bytes.toString('latin1')));
  await eventually(() => until.test(answer));
  return answer;
}
