/** Token keys: each algorithm right and wrong, several keys together, and keys by kid. */
import { beforeAll, describe, expect, test } from 'vitest';
import { base64url, type JwtRequest, jwk, jwt, keyPair, type SigningAlgorithm } from '../../../tests/support/jwt.js';
import { type KeyServer, startKeyServer } from '../../../tests/support/key-server.js';
import {
  claims,
  ed25519,
  OTHER_SECRET,
  otherEd25519,
  otherP256,
  otherRsa,
  p256,
  rsa,
  SECRET,
  verdict,
  withPem,
  withSecret,
} from './token-verdict.js';

const DEVELOPMENT_SECRET = 'hubbub-development-secret-not-for-production';

let keyServer: KeyServer;
const withKeySet = () => ({ jwtJwksUrl: keyServer.url });

beforeAll(async () => {
  keyServer = await startKeyServer([
    jwk(rsa, { kid: 'rsa', alg: 'RS256', use: 'sig' }),
    jwk(otherRsa, { kid: 'pss', alg: 'PS256' }),
    jwk(p256, { kid: 'ec', use: 'sig', key_ops: ['verify'] }),
    jwk(ed25519, { kid: 'ed' }),
  ]);
});

describe('each algorithm', () => {
  test.each(['HS256', 'HS384', 'HS512'] as const)(
    '%s: accepts its secret, and refuses another secret or hash',
    async alg => {
      const configured = { ...withSecret, jwtSecretAlgorithm: alg };
      expect(await verdict(jwt({ alg, key: SECRET, claims: claims() }), configured)).toBe('alice');
      expect(await verdict(jwt({ alg, key: OTHER_SECRET, claims: claims() }), configured)).toBe('UNAUTHORIZED');
      for (const other of (['HS256', 'HS384', 'HS512'] as const).filter(other => other !== alg)) {
        expect(await verdict(jwt({ alg: other, key: SECRET, claims: claims() }), configured)).toBe('UNAUTHORIZED');
        // The header names the key's algorithm, but the signature uses another hash.
        const lying = jwt({ alg: other, key: SECRET, claims: claims(), header: { alg } });
        expect(await verdict(lying, configured)).toBe('UNAUTHORIZED');
      }
    },
  );

  test.each([
    ['RS256', rsa, otherRsa, {}],
    ['PS256', rsa, otherRsa, { jwtRsaAlgorithm: 'PS256' }],
    ['ES256', p256, otherP256, {}],
    ['EdDSA', ed25519, otherEd25519, {}],
  ] as const)('%s from a file: its key opens, another or a changed token does not', async (alg, own, other, more) => {
    const configured = { ...withPem(own), ...more };
    const token = jwt({ alg, key: own.privateKey, claims: claims() });
    expect(await verdict(token, configured)).toBe('alice');
    expect(await verdict(jwt({ alg, key: other.privateKey, claims: claims() }), configured)).toBe('UNAUTHORIZED');
    expect(await verdict(withPayload(token, claims({ sub: 'admin' })), configured)).toBe('UNAUTHORIZED');
    expect(await verdict(withSignature(token, ''), configured)).toBe('UNAUTHORIZED');
    expect(await verdict(withSignature(token, 'AAAA'), configured)).toBe('UNAUTHORIZED');
  });

  test.each([
    ['RS256', 'rsa', rsa, otherRsa],
    ['PS256', 'pss', otherRsa, rsa],
    ['ES256', 'ec', p256, otherP256],
    ['EdDSA', 'ed', ed25519, otherEd25519],
  ] as const)('%s from a key set: the key of its kid opens, another does not', async (alg, kid, own, other) => {
    const token = jwt({ alg, key: own.privateKey, claims: claims(), header: { kid } });
    expect(await verdict(token, withKeySet())).toBe('alice');
    const forged = jwt({ alg, key: other.privateKey, claims: claims(), header: { kid } });
    expect(await verdict(forged, withKeySet())).toBe('UNAUTHORIZED');
  });

  test('an RSA key signs with one padding: that of the settings, or that of the key set', async () => {
    const rs = jwt({ alg: 'RS256', key: rsa.privateKey, claims: claims() });
    const ps = jwt({ alg: 'PS256', key: rsa.privateKey, claims: claims() });
    expect(await verdict(ps, withPem(rsa))).toBe('UNAUTHORIZED');
    expect(await verdict(rs, { ...withPem(rsa), jwtRsaAlgorithm: 'PS256' })).toBe('UNAUTHORIZED');
    const rsOfPss = jwt({ alg: 'RS256', key: otherRsa.privateKey, claims: claims(), header: { kid: 'pss' } });
    expect(await verdict(rsOfPss, withKeySet())).toBe('UNAUTHORIZED');
    const longer = jwt({ alg: 'RS384', key: rsa.privateKey, claims: claims() });
    expect(await verdict(longer, withPem(rsa))).toBe('UNAUTHORIZED');
  });
});

describe('several keys', () => {
  const hs = (key: string, more: Partial<JwtRequest> = {}) => jwt({ alg: 'HS256', key, claims: claims(), ...more });

  test('rotates secrets: accepts the next one early, and the last one until its tokens expire', async () => {
    const configured = { ...withSecret, jwtAcceptedSecrets: [OTHER_SECRET, 'a third secret'] };
    for (const secret of [SECRET, OTHER_SECRET, 'a third secret'])
      expect(await verdict(hs(secret), configured)).toBe('alice');
    expect(await verdict(hs('a fourth secret'), configured)).toBe('UNAUTHORIZED');
    // Signed by the second secret with wrong claims: the third one must not change that.
    const expired = hs(OTHER_SECRET, { claims: claims({ exp: 1 }) });
    expect(await verdict(expired, configured)).toBe('UNAUTHORIZED');
  });

  test('accepts files, secrets and a key set side by side, and tries keys without a kid for any kid', async () => {
    const configured = {
      ...withSecret,
      ...withPem(otherP256, otherEd25519, p256),
      ...withKeySet(),
    };
    const signers: [SigningAlgorithm, JwtRequest['key'], object][] = [
      ['HS256', SECRET, { kid: 'whatever' }],
      ['ES256', otherP256.privateKey, {}],
      ['ES256', p256.privateKey, { kid: 'ec' }],
      ['ES256', otherP256.privateKey, { kid: 'ec' }],
      ['EdDSA', otherEd25519.privateKey, { kid: 'unknown' }],
      ['RS256', rsa.privateKey, { kid: 'rsa' }],
    ];
    for (const [alg, key, header] of signers) {
      expect(
        await verdict(jwt({ alg, key, claims: claims(), header }), configured),
        `${alg} ${JSON.stringify(header)}`,
      ).toBe('alice');
    }
  });

  test('accepts the development secret only without configured keys, and never in production', async () => {
    const token = hs(DEVELOPMENT_SECRET);
    expect(await verdict(token)).toBe('alice');
    expect(await verdict(token, { production: true })).toBe('UNAUTHORIZED');
    for (const configured of [withSecret, { jwtAcceptedSecrets: [SECRET] }, withPem(rsa), withKeySet()]) {
      expect(await verdict(token, configured)).toBe('UNAUTHORIZED');
    }
  });
});

describe('key sets', () => {
  const token = (header: object) => jwt({ alg: 'RS256', key: rsa.privateKey, claims: claims(), header });

  test.each<[string, object]>([
    ['unknown', { kid: 'unknown' }],
    ['missing', {}],
    ['empty', { kid: '' }],
    ['a number', { kid: 0 }],
    ['a name that every object has', { kid: 'constructor' }],
    ['a name that is special', { kid: '__proto__' }],
    ['of a key of another type', { kid: 'ec' }],
  ])('a kid that is %s: UNAUTHORIZED', async (_, header) => {
    expect(await verdict(token(header), withKeySet())).toBe('UNAUTHORIZED');
  });

  test('an unreachable key set makes only tokens that it may have signed UNAVAILABLE', async () => {
    const away = { jwtJwksUrl: 'http://127.0.0.1:9/jwks.json' };
    expect(await verdict(token({ kid: 'rsa' }), away)).toBe('UNAVAILABLE');
    expect(await verdict(token({}), away)).toBe('UNAUTHORIZED');
    expect(await verdict(jwt({ alg: 'HS256', key: SECRET, claims: claims(), header: { kid: 'rsa' } }), away)).toBe(
      'UNAUTHORIZED',
    );
    expect(await verdict('garbage', away)).toBe('UNAUTHORIZED');
    expect(await verdict(jwt({ alg: 'HS256', key: SECRET, claims: claims() }), { ...away, ...withSecret })).toBe(
      'alice',
    );
  });

  test('skips unusable keys without affecting the others', async () => {
    const small = keyPair('RSA-1024');
    const p384 = keyPair('P-384');
    const ed448 = keyPair('Ed448');
    const k256 = keyPair('secp256k1');
    const server = await startKeyServer([
      jwk(rsa, { kid: 'encrypts', use: 'enc' }),
      jwk(rsa, { kid: 'wraps', key_ops: ['wrapKey'] }),
      jwk(rsa, { kid: 'alg', alg: 'RS512' }),
      jwk(rsa, { kid: 'other-alg', alg: 'ES256' }),
      jwk(small, { kid: 'small' }),
      jwk(p384, { kid: 'p384' }),
      jwk(ed448, { kid: 'ed448' }),
      jwk(k256, { kid: 'k256' }),
      { kty: 'RSA', kid: 'private', ...rsa.privateKey.export({ format: 'jwk' }) },
      { kty: 'oct', kid: 'oct', alg: 'HS256', k: Buffer.from(SECRET).toString('base64url') },
      jwk(rsa),
      { kty: 'EC', crv: 'P-256', kid: 'no-point', x: 'AAAA', y: 'AAAA' },
      { kty: 'RSA', kid: 'broken', n: 7, e: null },
      'text',
      null,
      jwk(rsa, { kid: 'good' }),
    ] as object[]);
    const configured = { jwtJwksUrl: server.url };
    expect(await verdict(token({ kid: 'good' }), configured)).toBe('alice');
    for (const kid of ['encrypts', 'wraps', 'alg', 'other-alg', 'private', 'broken', 'no-point']) {
      expect(await verdict(token({ kid }), configured), kid).toBe('UNAUTHORIZED');
    }
    const bySmall = jwt({ alg: 'RS256', key: small.privateKey, claims: claims(), header: { kid: 'small' } });
    expect(await verdict(bySmall, configured)).toBe('UNAUTHORIZED');
    const byOct = jwt({ alg: 'HS256', key: SECRET, claims: claims(), header: { kid: 'oct' } });
    expect(await verdict(byOct, configured)).toBe('UNAUTHORIZED');
    const byK256 = jwt({ alg: 'ES256', key: k256.privateKey, claims: claims(), header: { kid: 'k256' } });
    expect(await verdict(byK256, configured)).toBe('UNAUTHORIZED');
    const byEd448 = jwt({ alg: 'EdDSA', key: ed448.privateKey, claims: claims(), header: { kid: 'ed448' } });
    expect(await verdict(byEd448, configured)).toBe('UNAUTHORIZED');
  });

  test('two keys may share a kid if their types differ', async () => {
    const server = await startKeyServer([jwk(rsa, { kid: 'k' }), jwk(p256, { kid: 'k' })]);
    const configured = { jwtJwksUrl: server.url };
    expect(await verdict(token({ kid: 'k' }), configured)).toBe('alice');
    const ec = jwt({ alg: 'ES256', key: p256.privateKey, claims: claims(), header: { kid: 'k' } });
    expect(await verdict(ec, configured)).toBe('alice');
  });
});

function withPayload(token: string, payload: object): string {
  const [header, , signature] = token.split('.');
  return `${header}.${base64url(payload)}.${signature}`;
}

function withSignature(token: string, signature: string): string {
  return `${token.slice(0, token.lastIndexOf('.'))}.${signature}`;
}
