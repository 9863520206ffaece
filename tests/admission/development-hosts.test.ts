/** Development mode answers to this machine alone: a foreign page gets nothing, whatever name it has for 127.0.0.1. */
import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { startApi } from '../api/api-process.js';
import { type Environment, startCluster, startEmbedded } from '../support/cluster.js';
import { connect, connectRefused } from '../support/raw-client.js';

const REBOUND = 'evil.example:8080';

/** As a browser asks that was led to this address by a name of somebody else's. */
function get(url: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, response => {
      let body = '';
      response.on('data', chunk => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });
}

const start = async (env: Environment = {}) => {
  const cluster = await startEmbedded({ env });
  return { cluster, edge: cluster.edge(0), token: cluster.token({ user: 'u' }) };
};

describe('the public port', () => {
  test('opens no session for a foreign host or origin, and serves no page', async () => {
    const { edge, token } = await start();
    for (const headers of [{ host: REBOUND }, { host: REBOUND, origin: `http://${REBOUND}` }]) {
      const refused = await connectRefused(edge.wsUrl, { token, headers });
      expect(refused.status).toBe(403);
      expect(JSON.parse(refused.body).message).toContain('HUBBUB_ALLOWED_HOSTS');
    }
    const foreign = await connectRefused(edge.wsUrl, { token, headers: { origin: 'https://evil.example' } });
    expect(foreign.status).toBe(403);
    expect(JSON.parse(foreign.body)).toMatchObject({
      code: 'ORIGIN_NOT_ALLOWED',
      message: expect.stringContaining('HUBBUB_ALLOWED_ORIGINS'),
    });
    for (const path of ['/', '/playground/token?user=u', '/ws/online']) {
      expect((await get(`${edge.httpUrl}${path}`, { host: REBOUND })).status, path).toBe(403);
      expect((await get(`${edge.httpUrl}${path}`, {})).status, path).toBe(200);
    }
    await (await connect(edge.wsUrl, { token, headers: { origin: 'http://localhost:3000' } })).close();
  });

  test('settings allow them', async () => {
    const { edge, token } = await start({ HUBBUB_ALLOWED_HOSTS: 'evil.example', HUBBUB_ALLOWED_ORIGINS: '*' });
    await (await connect(edge.wsUrl, { token, headers: { host: REBOUND, origin: 'https://evil.example' } })).close();
    expect((await get(`${edge.httpUrl}/ws/online`, { host: REBOUND })).status).toBe(200);
  });
});

test('the admin port answers a foreign host with its health alone', async () => {
  const { cluster, edge } = await start();
  void cluster;
  const answer = await get(`${edge.adminUrl}/metrics`, { host: REBOUND });
  expect(answer.status).toBe(403);
  expect(answer.body).toContain('HUBBUB_ALLOWED_HOSTS');
  for (const path of ['/rooms', '/online'])
    expect((await get(`${edge.adminUrl}${path}`, { host: REBOUND })).status).toBe(403);
  // Probes of balancers ask by a name; nothing is in the answer.
  expect((await get(`${edge.adminUrl}/readyz`, { host: 'edge' })).status).toBe(200);
  expect((await get(`${edge.adminUrl}/metrics`, {})).status).toBe(200);
});

test('the API answers no foreign host', async () => {
  const cluster = await startCluster({ edges: 0 });
  const api = await startApi(cluster);
  const answer = await get(`${api.url}/openapi.json`, { host: REBOUND });
  expect(answer.status).toBe(403);
  expect(JSON.parse(answer.body)).toMatchObject({ message: expect.stringContaining('HUBBUB_ALLOWED_HOSTS') });
  expect((await get(`${api.url}/openapi.json`, {})).status).toBe(200);
});
