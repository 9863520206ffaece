/** How tokens are verified. */
import { JWT_SECRET_MIN_BYTES } from '../secret-strength.js';
import { flag, integer, list, MINUTE_MS, nonEmpty, oneOf, SECRET, url } from './fields.js';

export const tokenSettings = {
  jwtSecret: nonEmpty('a secret, such as from openssl rand -base64 48')
    .optional()
    .meta(SECRET)
    .describe(
      `Secret of the tokens, at least ${JWT_SECRET_MIN_BYTES} bytes in production. Unset and without public keys: the development secret, which production refuses.`,
    ),
  jwtAcceptedSecrets: list('secrets such as from openssl rand -base64 48')
    .default([])
    .meta(SECRET)
    .describe(
      'Further secrets whose tokens are accepted: the next one before it is used, the last one until its tokens have expired.',
    ),
  jwtSecretAlgorithm: oneOf(['HS256', 'HS384', 'HS512']).default('HS256').describe('What secrets sign with.'),
  jwtPublicKeyFiles: list('files such as /etc/hubbub/public.pem', file => file !== '' && !file.includes('-----BEGIN'))
    .default([])
    .describe('Public keys or certificates (PEM) whose tokens are accepted: RSA, P-256 (ES256), Ed25519 (EdDSA).'),
  jwtRsaAlgorithm: oneOf(['RS256', 'PS256'])
    .default('RS256')
    .describe('What RSA keys sign with, where a JWKS does not say it of the key.'),
  jwtJwksUrl: url('https://id.example.com/.well-known/jwks.json')
    .optional()
    .describe(
      'JSON Web Key Set (RFC 7517) whose keys are accepted, found by the `kid` of the token. In production only https, or http on loopback.',
    ),
  jwtJwksRefreshMs: integer(1000, 24 * 60 * MINUTE_MS)
    .default(10 * MINUTE_MS)
    .describe(
      'How often the key set is read again. An unknown `kid` has it read at once, every tenth of this time at most.',
    ),
  jwtJwksMaxAgeMs: integer(1000, 30 * 24 * 60 * MINUTE_MS)
    .default(24 * 60 * MINUTE_MS)
    .describe('A key set that could not be read again for so long is used no more: nobody gets in by it.'),
  jwtIssuer: nonEmpty('the issuer of the tokens, such as https://id.example.com')
    .optional()
    .describe('What `iss` of a token must be. Unset: anything.'),
  jwtAudience: list('audiences such as hubbub')
    .optional()
    .describe('`aud` of a token must name one of them. Unset: anything.'),
  jwtLeewayMs: integer(0, 5 * MINUTE_MS)
    .default(5000)
    .describe('How far the clocks of those who sign may be off, for `exp` and `nbf` (RFC 7519 section 4.1.4).'),
  jwtAllowWithoutExp: flag()
    .default(false)
    .describe('Whether production takes tokens without `exp`, which open sessions forever. Development takes them.'),
};

export interface SigningSettings {
  readonly production: boolean;
  readonly jwtSecret?: string | undefined;
  readonly jwtAcceptedSecrets: readonly string[];
  readonly jwtPublicKeyFiles: readonly string[];
  readonly jwtJwksUrl?: string | undefined;
}

/** The development secret stands in only where no key of any kind is configured, and never in production. */
export function usesDevelopmentSecret(settings: SigningSettings): boolean {
  const { production, jwtSecret, jwtAcceptedSecrets, jwtPublicKeyFiles, jwtJwksUrl } = settings;
  const keys = [...jwtAcceptedSecrets, ...jwtPublicKeyFiles];
  return !production && jwtSecret === undefined && jwtJwksUrl === undefined && keys.length === 0;
}
