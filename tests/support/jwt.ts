/**
 * Makes valid and invalid tokens with Node's crypto alone: a test should not sign with the library that verifies.
 */
import { constants, createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export type SigningAlgorithm = 'HS256' | 'HS384' | 'HS512' | 'RS256' | 'RS384' | 'PS256' | 'ES256' | 'EdDSA';

export interface JwtRequest {
  readonly alg: SigningAlgorithm;
  /** A secret for HS… algorithms, otherwise a private key. */
  readonly key: KeyObject | string | Uint8Array;
  readonly claims: object | string;
  /** Overrides `alg` and `typ`. */
  readonly header?: object;
}

/** @example jwt({ alg: 'ES256', key: keyPair('P-256').privateKey, claims: { sub: 'alice' }, header: { kid: 'k1' } }) */
export function jwt({ alg, key, claims, header = {} }: JwtRequest): string {
  const input = `${base64url({ alg, typ: 'JWT', ...header })}.${base64url(claims)}`;
  return `${input}.${signature(alg, key, input).toString('base64url')}`;
}

/** A string unchanged, anything else as JSON. */
export function base64url(value: object | string): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

export interface TestKeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** The public key as PEM (SPKI). */
  readonly pem: string;
}

export type KeyKind = 'RSA-1024' | 'RSA-2048' | 'P-256' | 'P-384' | 'secp256k1' | 'Ed25519' | 'Ed448';

export function keyPair(kind: KeyKind): TestKeyPair {
  const { privateKey } = generate(kind);
  const publicKey = createPublicKey(privateKey);
  return { privateKey, publicKey, pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

/** The public key as an entry of a JSON Web Key Set. */
export function jwk({ publicKey }: Pick<TestKeyPair, 'publicKey'>, fields: object = {}): object {
  return { ...publicKey.export({ format: 'jwk' }), ...fields };
}

function generate(kind: KeyKind): { privateKey: KeyObject } {
  switch (kind) {
    case 'RSA-1024':
      return generateKeyPairSync('rsa', { modulusLength: 1024 });
    case 'RSA-2048':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
    case 'Ed25519':
      return generateKeyPairSync('ed25519');
    case 'Ed448':
      return generateKeyPairSync('ed448');
    default:
      return generateKeyPairSync('ec', { namedCurve: kind });
  }
}

function signature(alg: SigningAlgorithm, key: JwtRequest['key'], input: string): Buffer {
  const data = Buffer.from(input);
  const hash = `sha${alg.slice(2)}`;
  if (typeof key === 'string' || key instanceof Uint8Array || alg.startsWith('HS')) {
    return createHmac(hash, key).update(data).digest();
  }
  if (alg === 'EdDSA') return sign(null, data, key);
  if (alg === 'ES256') return sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return sign(hash, data, { key, ...(alg === 'PS256' ? pss : { padding: constants.RSA_PKCS1_PADDING }) });
}
