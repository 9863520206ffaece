/** A plain GET of a WebSocket path gives the reason that a browser hides: to every page in development, else to allowed origins. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.js';
import { cleanup } from '../support/cleanup.js';
import { startEmbedded, type TestCluster } from '../support/cluster.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { connect } from '../support/raw-client.js';

const FOREIGN = 'https://evil.example';
const OWN = 'http://localhost:5173';

interface Answer {
  readonly status: number;
  readonly readableBy: string | null;
  readonly body: { readonly code?: string; readonly message?: string; readonly details?: object };
}

async function get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await fetch(url, { headers });
  const readableBy = answer.headers.get('access-control-allow-origin');
  return { status: answer.status, readableBy, body: (await answer.json()) as Answer['body'] };
}

describe('in development', () => {
  let cluster: TestCluster;
  let http: string;
  beforeAll(async () => {
    cluster = await startEmbedded();
    http = cluster.edge(0).httpUrl;
  });

  test.each<[what: string, path: string, status: number, code: string, says: string]>([
    ['without a token', '/ws', 401, 'UNAUTHORIZED', 'A token is required'],
    ['with a token that is none', '/ws?token=nonsense', 401, 'UNAUTHORIZED', 'not valid'],
    ['of a path without a room', '/rooms/a%20b/ws?token=$', 400, 'INVALID_ROOM', 'does not name a room'],
    ['of a room that the token does not open', '/rooms/secret:1/ws?token=$', 403, 'FORBIDDEN', '`secret:1`'],
    ['of a wrong path', '/wss', 404, 'NOT_FOUND', '/rooms/{room_id}/ws'],
    ['of a request that is right', '/ws?token=$', 426, 'UPGRADE_REQUIRED', 'speaks WebSocket'],
  ])('a GET %s has the status and the reason', async (_, path, status, code, says) => {
    const url = `${http}${path.replace('$', cluster.token({ user: 'ada' }))}`;
    const answer = await get(url, { origin: OWN });
    expect(answer).toMatchObject({ status, readableBy: OWN, body: { code, message: expect.stringContaining(says) } });
    const head = await fetch(url, { method: 'HEAD', headers: { origin: OWN } });
    expect([head.status, await head.text()]).toEqual([status, '']);
  });

  test('a foreign origin reads that it is refused, and nothing about tokens and rooms', async () => {
    const token = cluster.token({ user: 'ada' });
    for (const path of ['/ws', '/ws?token=nonsense', `/ws?token=${token}`, `/rooms/secret:1/ws?token=${token}`]) {
      expect(await get(`${http}${path}`, { origin: FOREIGN })).toMatchObject({
        ...{ status: 403, readableBy: FOREIGN },
        body: { code: 'ORIGIN_NOT_ALLOWED', message: expect.stringContaining('HUBBUB_ALLOWED_ORIGINS') },
      });
    }
    const page = await get(`${http}/playground/token?user=ada`, { origin: FOREIGN });
    expect(page.readableBy).toBeNull();
  });

  test('a token in Authorization counts, after a preflight', async () => {
    const headers = { origin: OWN, 'access-control-request-headers': 'authorization' };
    const preflight = await fetch(`${http}/ws`, { method: 'OPTIONS', headers });
    expect(preflight.ok).toBe(true);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(OWN);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization');
    const authorization = `Bearer ${cluster.token({ user: 'ada' })}`;
    expect(await get(`${http}/ws`, { origin: OWN, authorization })).toMatchObject({ status: 426 });
  });

  test('such a GET counts as a handshake of its address, and opens no session', async () => {
    const small = await startEmbedded({ env: { HUBBUB_MAX_CONNECTIONS_PER_ADDRESS: '1' } });
    const { httpUrl, wsUrl } = small.edge(0);
    const token = small.token({ user: 'ada' });
    expect((await get(`${httpUrl}/ws?token=${token}`)).status).toBe(426);
    const client = await connect(wsUrl, { token });
    expect(await get(`${httpUrl}/ws?token=${token}`, { origin: OWN })).toMatchObject({ status: 429, readableBy: OWN });
    await client.ping();
  });
});

describe('in production', () => {
  let http: string;
  beforeAll(async () => {
    const env = { NODE_ENV: 'production', HUBBUB_ALLOWED_ORIGINS: 'https://app.example' };
    http = (await startEmbedded({ env })).edge(0).httpUrl;
  });

  test('a GET judges nothing, and only allowed origins read the answer', async () => {
    for (const [origin, readableBy] of [
      [FOREIGN, null],
      ['https://app.example', 'https://app.example'],
    ] as const) {
      expect(await get(`${http}/ws?token=nonsense`, { origin })).toMatchObject({ status: 426, readableBy });
      expect(await get(`${http}/wss`, { origin })).toMatchObject({ status: 404, readableBy });
    }
    const preflight = await fetch(`${http}/ws`, { method: 'OPTIONS', headers: { origin: FOREIGN } });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('a page in a browser, of an origin that is not on the list', () => {
  let page: Page;
  beforeAll(async () => {
    const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<p>A page'));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    cleanup(() => void server.close());
    page = await (await openBrowser()).newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  }, PROVISION_TIMEOUT_MS);

  const closeCode = (wsUrl: string) =>
    page.evaluate(
      url => new Promise(resolve => new WebSocket(url).addEventListener('close', event => resolve(event.code))),
      wsUrl,
    );
  const reason = (httpUrl: string) => page.evaluate(async url => (await fetch(url)).json(), `${httpUrl}/ws`);

  test('sees close code 1006, and in development reads the reason by a GET', async () => {
    const cluster = await startEmbedded({ env: { HUBBUB_ALLOWED_ORIGINS: 'https://app.example' } });
    expect(await closeCode(cluster.edge(0).wsUrl)).toBe(1006);
    expect(await reason(cluster.edge(0).httpUrl)).toMatchObject({ code: 'ORIGIN_NOT_ALLOWED' });
  });

  test('reads nothing in production', async () => {
    const cluster = await startEmbedded({ env: { NODE_ENV: 'production' } });
    expect(await closeCode(cluster.edge(0).wsUrl)).toBe(1006);
    await expect(reason(cluster.edge(0).httpUrl)).rejects.toThrow('Failed to fetch');
  });
});
