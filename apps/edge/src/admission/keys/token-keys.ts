/** Every key whose tokens are accepted, and the choice among them. */
import { HubbubError } from '@hubbub/protocol';
import { type Config, DEVELOPMENT_JWT_SECRET } from '@hubbub/runtime';
import { type ClaimsVerifier, checkClaims } from '../claims.js';
import { type VerificationKey, verificationKey } from './verification-key.js';

export interface TokenKeys {
  readonly verifyClaims: ClaimsVerifier;
  /** Stops what reads keys again. */
  close(): void;
}

/**
 * The keys that the configuration names.
 *
 * @example
 * const keys = openTokenKeys(config);
 * const { claims, expiresAtMs } = await keys.verifyClaims(token);
 */
export function openTokenKeys(config: Config): TokenKeys {
  const keys: VerificationKey[] = [verificationKey(config.jwtSecret ?? DEVELOPMENT_JWT_SECRET, 'HS256')];
  const policy = { leewayMs: config.jwtLeewayMs, issuer: config.jwtIssuer, audience: config.jwtAudience };
  return {
    verifyClaims: token => {
      for (const key of keys) {
        try {
          return checkClaims(key.verify(token) as Record<string, unknown>, policy, Date.now());
        } catch (error) {
          if (error instanceof HubbubError) throw error;
          // Not signed by this key: another one may have signed it.
        }
      }
      throw new HubbubError('UNAUTHORIZED', 'The token is not valid.');
    },
    close() {},
  };
}
