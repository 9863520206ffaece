/** A key with the one algorithm that it verifies: the key decides which, never the token (RFC 8725 section 3.1). */
import type { KeyObject } from 'node:crypto';
import { createVerifier } from 'fast-jwt';
import type { Claims } from '../claims.js';

export type SecretAlgorithm = 'HS256' | 'HS384' | 'HS512';
export type RsaAlgorithm = 'RS256' | 'PS256';
const PUBLIC_KEY_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
export type PublicKeyAlgorithm = (typeof PUBLIC_KEY_ALGORITHMS)[number];
export type Algorithm = SecretAlgorithm | PublicKeyAlgorithm;

export interface VerificationKey {
  readonly algorithm: Algorithm;
  /** The claims of the token; `undefined` if this key has not signed it. */
  read(token: string): Claims | undefined;
}

export function isPublicKeyAlgorithm(name: string): name is PublicKeyAlgorithm {
  return PUBLIC_KEY_ALGORITHMS.some(known => known === name);
}

export function secretKey(secret: string, algorithm: SecretAlgorithm): VerificationKey {
  return verificationKey(secret, algorithm);
}

/** RFC 7518 section 3.3. */
const RSA_MIN_BITS = 2048;

/**
 * @param rsaAlgorithm of an RSA key: the key itself does not name it
 * @throws {Error} that names the kind of key, if an edge cannot use it.
 */
export function publicKey(key: KeyObject, rsaAlgorithm: RsaAlgorithm): VerificationKey {
  const pem = key.export({ type: 'spki', format: 'pem' }).toString();
  return verificationKey(pem, algorithmOf(key, rsaAlgorithm));
}

function algorithmOf(
  { asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject,
  rsa: RsaAlgorithm,
): PublicKeyAlgorithm {
  const { modulusLength = 0, namedCurve } = asymmetricKeyDetails;
  if (asymmetricKeyType === 'ed25519') return 'EdDSA';
  if (asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256';
  if (asymmetricKeyType === 'rsa' && modulusLength >= RSA_MIN_BITS) return rsa;
  const kind =
    asymmetricKeyType === 'rsa'
      ? `an RSA key of ${modulusLength} bits`
      : `a key of the type ${asymmetricKeyType}${namedCurve === undefined ? '' : ` on the curve ${namedCurve}`}`;
  throw new Error(`${kind}; expected RSA of at least ${RSA_MIN_BITS} bits, P-256 or Ed25519`);
}

function verificationKey(key: string, algorithm: Algorithm): VerificationKey {
  // claims.ts checks dates, issuer and audience after the signature: they are the same for all keys.
  const verify = createVerifier({ key, algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true });
  return {
    algorithm,
    read(token) {
      try {
        return verify(token);
      } catch {
        return undefined; // Another key may have signed it. The error may quote the token, so it is not logged.
      }
    },
  };
}
