/** The table of tokens over the wire: who gets a session, who gets 401 or 503, before the upgrade (PROTOCOL.md section 1). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@hubbub/tools/kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEmbedded, type TestEdge } from '../support/cluster.js';
import { base64url, jwk, jwt, keyPair, type SigningAlgorithm, type TestKeyPair } from '../support/jwt.js';
import { type KeyServer, startKeyServer } from '../support/key-server.js';
import { connect, connectRefused } from '../support/raw-client.js';

const SECRET = 'the secret of today, which is long enough';
const NEXT_SECRET = 'the secret of tomorrow which is long enough';
const ISSUER = 'https://id.example';

const rsa = keyPair('RSA-2048');
const pss = keyPair('RSA-2048');
const p256 = keyPair('P-256');
const ed25519 = keyPair('Ed25519');
const stranger = keyPair('RSA-2048');

const folder = mkdtempSync(join(tmpdir(), 'hubbub-'));
afterAll(() => rmSync(folder, { recursive: true }));

function pemFile(name: string, { pem }: TestKeyPair): string {
  const path = join(folder, name);
  writeFileSync(path, pem);
  return path;
}

const now = () => Math.floor(Date.now() / 1000);
const claims = (more: object = {}) => ({ sub: 'alice', iss: ISSUER, aud: ['mail', 'chat'], exp: now() + 600, ...more });
const sign = (alg: SigningAlgorithm, key: Parameters<typeof jwt>[0]['key'], header: object = {}, more: object = {}) =>
  jwt({ alg, key, header, claims: claims(more) });

describe('tokens', () => {
  let keys: KeyServer;
  let edge: TestEdge;

  beforeAll(async () => {
    keys = await startKeyServer([
      jwk(rsa, { kid: 'rsa', alg: 'RS256', use: 'sig' }),
      jwk(pss, { kid: 'pss', alg: 'PS256' }),
    ]);
    const cluster = await startEmbedded({
      env: {
        HUBBUB_JWT_SECRET: SECRET,
        HUBBUB_JWT_ACCEPTED_SECRETS: NEXT_SECRET,
        HUBBUB_JWT_PUBLIC_KEY_FILES: `${pemFile('ec.pem', p256)},${pemFile('ed.pem', ed25519)}`,
        HUBBUB_JWT_JWKS_URL: keys.url,
        HUBBUB_JWT_ISSUER: ISSUER,
        HUBBUB_JWT_AUDIENCE: 'chat,game',
        HUBBUB_JWT_LEEWAY_MS: '20000',
      },
    });
    edge = cluster.edge(0);
  });

  test.each<[string, () => string]>([
    ['HS256', () => sign('HS256', SECRET)],
    ['HS256 with the next secret', () => sign('HS256', NEXT_SECRET)],
    ['ES256 (file)', () => sign('ES256', p256.privateKey)],
    ['EdDSA (file)', () => sign('EdDSA', ed25519.privateKey)],
    ['RS256 (key set)', () => sign('RS256', rsa.privateKey, { kid: 'rsa' })],
    ['PS256 (key set)', () => sign('PS256', pss.privateKey, { kid: 'pss' })],
    ['expired a second ago, within the leeway', () => sign('HS256', SECRET, {}, { exp: now() - 1 })],
    ['without an end', () => sign('HS256', SECRET, {}, { exp: undefined })],
  ])('%s: a session', async (_, token) => {
    const client = await connect(edge.wsUrl, { token: token() });
    await client.nextFrame({ type: 'welcome', payload: { user: { id: 'alice' } } });
  });

  test.each<[string, () => string, RegExp?]>([
    ['none', () => `${base64url({ alg: 'none' })}.${base64url(claims())}.`],
    ['HS256 with another secret', () => sign('HS256', 'a secret that nobody has configured')],
    ['HS512, where secrets sign with HS256', () => sign('HS512', SECRET)],
    ['RS256 with another key', () => sign('RS256', stranger.privateKey, { kid: 'rsa' })],
    ['PS256 with the key of RS256', () => sign('PS256', rsa.privateKey, { kid: 'rsa' })],
    ['RS256 with the key of PS256', () => sign('RS256', pss.privateKey, { kid: 'pss' })],
    ['ES256 with another key', () => sign('ES256', keyPair('P-256').privateKey)],
    ['EdDSA with another key', () => sign('EdDSA', keyPair('Ed25519').privateKey)],
    ['key confusion: HS256 with the RSA public key', () => sign('HS256', rsa.pem, { kid: 'rsa' })],
    ['key confusion: HS256 with the public key of a file', () => sign('HS256', p256.pem)],
    ['an unknown kid', () => sign('RS256', rsa.privateKey, { kid: 'unknown' })],
    ['no kid', () => sign('RS256', rsa.privateKey)],
    ['the kid of another key', () => sign('RS256', rsa.privateKey, { kid: 'pss' })],
    ['another issuer', () => sign('HS256', SECRET, {}, { iss: 'https://evil.example' }), /issuer/],
    ['no issuer', () => sign('HS256', SECRET, {}, { iss: undefined }), /issuer/],
    ['another audience', () => sign('HS256', SECRET, {}, { aud: 'mail' }), /audience/],
    ['expired', () => sign('HS256', SECRET, {}, { exp: now() - 25 }), /expired/],
    ['not valid yet', () => sign('HS256', SECRET, {}, { nbf: now() + 60 }), /not valid yet/],
    ['an end that is text', () => sign('HS256', SECRET, {}, { exp: '9999999999' }), /exp/],
    ['crit', () => sign('HS256', SECRET, { crit: ['exp'] }), /crit/],
    ['a room token', () => sign('HS256', SECRET, {}, { room: 'general' }), /room token/],
    ['a user like one without a token', () => sign('HS256', SECRET, {}, { sub: 'anonymous:1' }), /sub/],
  ])('%s: 401', async (_, token, reason = /./) => {
    const refused = await connectRefused(edge.wsUrl, { token: token() });
    expect(refused.status).toBe(401);
    expect(JSON.parse(refused.body)).toEqual({ code: 'UNAUTHORIZED', message: expect.stringMatching(reason) });
  });
});

describe('a key set by URL', () => {
  const REFRESH_MS = 1000;
  const MAX_AGE_MS = 8000;
  const old = keyPair('Ed25519');
  const fresh = keyPair('Ed25519');
  const oldToken = () => sign('EdDSA', old.privateKey, { kid: 'old' });
  const freshToken = () => sign('EdDSA', fresh.privateKey, { kid: 'fresh' });

  const startEdge = async (url: string) => {
    const cluster = await startEmbedded({
      env: {
        HUBBUB_JWT_JWKS_URL: url,
        HUBBUB_JWT_JWKS_REFRESH_MS: String(REFRESH_MS),
        HUBBUB_JWT_JWKS_MAX_AGE_MS: String(MAX_AGE_MS),
      },
    });
    return cluster.edge(0);
  };

  /** 101 for a session, else the status. */
  const answerTo = async (edge: TestEdge, token: string): Promise<number> => {
    try {
      await (await connect(edge.wsUrl, { token })).terminate();
      return 101;
    } catch {
      return (await connectRefused(edge.wsUrl, { token })).status;
    }
  };
  const becomes = (edge: TestEdge, token: () => string, status: number) =>
    eventually(async () => (await answerTo(edge, token())) === status, {
      describe: `the token is answered with ${status}`,
    });

  test('keys rotate: edges accept the new one and refuse the old one; open sessions continue', async () => {
    const keys = await startKeyServer([jwk(old, { kid: 'old' })]);
    const edge = await startEdge(keys.url);
    const early = await connect(edge.wsUrl, { token: oldToken() });
    await early.nextFrame('welcome');
    expect(await answerTo(edge, freshToken())).toBe(401);
    keys.serve([jwk(old, { kid: 'old' }), jwk(fresh, { kid: 'fresh' })]);
    await becomes(edge, freshToken, 101);
    expect(await answerTo(edge, oldToken())).toBe(101);
    keys.serve([jwk(fresh, { kid: 'fresh' })]);
    await becomes(edge, oldToken, 401);
    await early.ping();
  });

  test('away: keys hold until the set is too old, then all are refused until it returns', async () => {
    const keys = await startKeyServer([jwk(old, { kid: 'old' })]);
    const edge = await startEdge(keys.url);
    const early = await connect(edge.wsUrl, { token: oldToken() });
    keys.fail();
    await becomes(edge, freshToken, 503);
    expect(await answerTo(edge, oldToken()), 'its keys are not too old yet').toBe(101);
    await becomes(edge, oldToken, 503);
    const refused = await connectRefused(edge.wsUrl, { token: oldToken() });
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'UNAVAILABLE' });
    expect(refused.headers['retry-after']).toBe('1');
    expect(await answerTo(edge, 'garbage'), 'what no key could have signed').toBe(401);
    const metrics = await (await fetch(`${edge.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/hubbub_edge_jwks_fetches_total\{result="unreachable"\} [1-9]/);
    expect(metrics).toMatch(/hubbub_edge_jwks_keys 0/);
    await edge.process.output.waitForLog({ event: 'jwks_fetch_failed' });
    await early.ping();
    keys.serve([jwk(old, { kid: 'old' })]);
    await becomes(edge, oldToken, 101);
  });

  test.each<[string, (keys: KeyServer) => void]>([
    ['slow', keys => keys.serve(() => {})],
    ['huge', keys => keys.serve((_request, response) => void response.end('x'.repeat(1_000_000)))],
    ['garbage', keys => keys.serve((_request, response) => void response.end('<html>'))],
    [
      'a redirect',
      keys => keys.serve((_request, response) => void response.writeHead(302, { location: `${keys.url}?2` }).end()),
    ],
  ])('%s: the edge refuses everybody, and continues', async (_, spoil) => {
    const keys = await startKeyServer([jwk(old, { kid: 'old' })]);
    spoil(keys);
    const edge = await startEdge(keys.url);
    expect(await answerTo(edge, oldToken())).toBe(503);
    keys.serve([jwk(old, { kid: 'old' })]);
    await becomes(edge, oldToken, 101);
  });
});
