/** Pages of which origins may connect (PROTOCOL.md section 1); the list itself is tested in packages/config. */
import { expect, test } from 'vitest';
import { type Environment, startEmbedded } from '../support/cluster.js';
import { connect, connectRefused } from '../support/raw-client.js';

/** Which of these origins get a session. */
async function allowedOf(origins: readonly string[], env: Environment): Promise<string[]> {
  const cluster = await startEmbedded({ env });
  const token = cluster.token({ user: 'u' });
  const allowed: string[] = [];
  for (const origin of origins) {
    try {
      await (await connect(cluster.edge(0).wsUrl, { token, headers: { origin } })).close();
      allowed.push(origin);
    } catch {
      // Refused for its origin, and for nothing else: see below.
      const refused = await connectRefused(cluster.edge(0).wsUrl, { token, headers: { origin } });
      expect(refused.status, origin).toBe(403);
      expect(JSON.parse(refused.body)).toMatchObject({ code: 'ORIGIN_NOT_ALLOWED' });
    }
  }
  await connect(cluster.edge(0).wsUrl, { token }); // A program.
  await cluster.stop();
  return allowed;
}

const ORIGINS = [
  'https://example.com',
  'https://a.example.com',
  'https://a.b.example.com',
  'http://a.example.com',
  'https://a.example.com:8443',
  'https://example.com.evil.org',
  'null',
];

test('a wildcard stands for subdomains of every depth, with the same scheme and port, and not for the domain itself', async () => {
  const env = { HUBBUB_ALLOWED_ORIGINS: 'https://*.example.com' };
  expect(await allowedOf(ORIGINS, env)).toEqual(['https://a.example.com', 'https://a.b.example.com']);
});

test('a page without an origin needs null on the list, or *, which is everybody', async () => {
  expect(await allowedOf(ORIGINS, { HUBBUB_ALLOWED_ORIGINS: 'null' })).toEqual(['null']);
  expect(await allowedOf(ORIGINS, { HUBBUB_ALLOWED_ORIGINS: '*' })).toEqual(ORIGINS);
});

test('where nothing is set pages of this machine may connect in development, and none in production', async () => {
  const own = ['http://localhost:3000', 'http://127.0.0.1:5173'];
  expect(await allowedOf([...ORIGINS, ...own], {})).toEqual(own);
  expect(await allowedOf([...ORIGINS, ...own], { NODE_ENV: 'production' })).toEqual([]);
});
