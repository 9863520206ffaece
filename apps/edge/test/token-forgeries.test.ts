/** Every forgery of a token that RFC 8725 lists, and malformed tokens. */
import { beforeAll, describe, expect, test } from 'vitest';
import { base64url, jwk, jwt, keyPair } from '../../../tests/support/jwt.js';
import { type KeyServer, startKeyServer } from '../../../tests/support/key-server.js';
import { claims, rsa, SECRET, verdict, withPem, withSecret } from './token-verdict.js';

let keyServer: KeyServer;
const withKeySet = () => ({ jwtJwksUrl: keyServer.url });

beforeAll(async () => {
  keyServer = await startKeyServer([jwk(rsa, { kid: 'rsa', alg: 'RS256', use: 'sig' })]);
});

describe('forgeries', () => {
  const parts = (alg: unknown) => `${base64url({ alg, typ: 'JWT' })}.${base64url(claims())}`;

  test.each(['none', 'None', 'NONE', '', null, undefined, 0, ['HS256'], { HS256: true }])(
    'alg: %j opens nothing, with a signature or without',
    async alg => {
      for (const configured of [withSecret, withPem(rsa), withKeySet(), {}]) {
        for (const signature of ['', 'AAAA']) {
          expect(await verdict(`${parts(alg)}.${signature}`, configured)).toBe('UNAUTHORIZED');
        }
      }
    },
  );

  test.each<[string, string | Uint8Array]>([
    ['PEM', rsa.pem],
    ['PEM without its last line break', rsa.pem.trim()],
    ['PEM (PKCS#1)', rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['DER', rsa.publicKey.export({ type: 'spki', format: 'der' })],
    ['JWK', JSON.stringify(rsa.publicKey.export({ format: 'jwk' }))],
    ['modulus', Buffer.from(String(rsa.publicKey.export({ format: 'jwk' }).n), 'base64url')],
  ])('key confusion: HS256 with the RSA public key as the secret, as %s', async (_, key) => {
    for (const alg of ['HS256', 'HS384', 'HS512'] as const) {
      for (const header of [{}, { kid: 'rsa' }, { kid: 'rsa', alg: 'RS256' }]) {
        const token = jwt({ alg, key, claims: claims(), header });
        for (const configured of [withPem(rsa), withKeySet(), { ...withPem(rsa), ...withSecret }]) {
          expect(await verdict(token, configured)).toBe('UNAUTHORIZED');
        }
      }
    }
  });

  test('ignores a key that the token contains or points to', async () => {
    const mallory = keyPair('RSA-2048');
    const brought = {
      jwk: jwk(mallory, { kid: 'rsa' }),
      jku: 'http://127.0.0.1:9/jwks.json',
      x5u: 'http://127.0.0.1:9/',
    };
    const token = jwt({ alg: 'RS256', key: mallory.privateKey, claims: claims(), header: { kid: 'rsa', ...brought } });
    for (const configured of [withPem(rsa), withKeySet()])
      expect(await verdict(token, configured)).toBe('UNAUTHORIZED');
  });

  test.each([
    ['an extension that nobody knows', ['http://example.com/x']],
    ['a payload that is not encoded (b64)', ['b64']],
    ['an empty list', []],
    ['null', null],
    ['no list', 'exp'],
    ['false', false],
  ])('crit: %s is refused (RFC 7515 section 4.1.11)', async (_, crit) => {
    const header = { crit, b64: false, 'http://example.com/x': 1 };
    expect(await verdict(jwt({ alg: 'HS256', key: SECRET, claims: claims(), header }), withSecret)).toBe(
      'UNAUTHORIZED',
    );
  });

  test.each([
    ['nothing', ''],
    ['dots', '..'],
    ['two parts', 'e30.e30'],
    ['five parts (an encrypted token)', 'e30.e30.e30.e30.e30'],
    ['a header that is a list', `${base64url([])}.${base64url({})}.AAAA`],
    ['a header that is null', `${base64url('null')}.${base64url({})}.AAAA`],
    ['a header that is not JSON', `${base64url('{')}.${base64url({})}.AAAA`],
    ['percent escapes', '%00%ff.%zz.%'],
    ['a megabyte', `${base64url({ alg: 'HS256' })}.${'A'.repeat(1_048_576)}.AAAA`],
    ['a megabyte without a dot', 'A'.repeat(1_048_576)],
    ['a deep header', `${base64url(`${'['.repeat(20_000)}${']'.repeat(20_000)}`)}.e30.AAAA`],
  ])('refuses %s', async (_, token) => {
    for (const configured of [withSecret, withKeySet()]) expect(await verdict(token, configured)).toBe('UNAUTHORIZED');
  });

  test('refuses an absurdly long token before verifying its valid signature', async () => {
    const token = jwt({ alg: 'HS256', key: SECRET, claims: claims({ more: 'x'.repeat(65_536) }) });
    expect(await verdict(token, withSecret)).toBe('UNAUTHORIZED');
  });

  test.each([
    ['a list', '[]'],
    ['text', '"alice"'],
    ['null', 'null'],
    ['not JSON', '{'],
    ['not UTF-8', '\ufffd'],
  ])('claims that are %s', async (_, payload) => {
    expect(await verdict(jwt({ alg: 'HS256', key: SECRET, claims: payload }), withSecret)).toBe('UNAUTHORIZED');
  });
});
