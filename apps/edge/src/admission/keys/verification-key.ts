/** A key with the one algorithm that it verifies: the key says which, never the token (RFC 8725 section 3.1). */
import { createVerifier } from 'fast-jwt';

export type SecretAlgorithm = 'HS256' | 'HS384' | 'HS512';
export type PublicKeyAlgorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';
export type Algorithm = SecretAlgorithm | PublicKeyAlgorithm;

export interface VerificationKey {
  readonly algorithm: Algorithm;
  /** The payload of a token that this key has signed. @throws {TokenError} which may quote the token */
  verify(token: string): unknown;
}

/** @param key a secret, or a public key as PEM */
export function verificationKey(key: string, algorithm: Algorithm): VerificationKey {
  // Dates, issuer and audience are claims.ts's business: the same for all keys, and asked once the signature stands.
  const verify = createVerifier({ key, algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true });
  return { algorithm, verify };
}
