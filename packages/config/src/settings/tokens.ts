/** How tokens are verified. */
import { JWT_SECRET_MIN_BYTES } from '../secret-strength.js';
import { flag, integer, list, MINUTE_MS, nonEmpty, oneOf, SECRET, url } from './fields.js';

export const tokenSettings = {
  jwtSecret: nonEmpty('a secret, such as from openssl rand -base64 48')
    .optional()
    .meta(SECRET)
    .describe(
      `Secret of the tokens, at least ${JWT_SECRET_MIN_BYTES} bytes in production. Unset: a built-in one, in development only.`,
    ),
  jwtAcceptedSecrets: list('secrets such as from openssl rand -base64 48')
    .default([])
    .meta(SECRET)
    .describe(
      'Further accepted secrets, for a rotation: the next one before its use, the previous one until its tokens expire.',
    ),
  jwtSecretAlgorithm: oneOf(['HS256', 'HS384', 'HS512'])
    .default('HS256')
    .describe('Signature algorithm of the secrets.'),
  jwtPublicKeyFiles: list('files such as /etc/hubbub/public.pem', file => file !== '' && !file.includes('-----BEGIN'))
    .default([])
    .describe('Public keys or certificates (PEM) that verify tokens: RSA, P-256 (ES256) or Ed25519 (EdDSA).'),
  jwtRsaAlgorithm: oneOf(['RS256', 'PS256'])
    .default('RS256')
    .describe('Signature algorithm of RSA keys, unless the JWKS names one for the key.'),
  jwtJwksUrl: url('https://id.example.com/.well-known/jwks.json')
    .optional()
    .describe(
      'JSON Web Key Set (RFC 7517) that verifies tokens, selected by their `kid`. Production needs https, or http on loopback.',
    ),
  jwtJwksRefreshMs: integer(1000, 24 * 60 * MINUTE_MS)
    .default(10 * MINUTE_MS)
    .describe(
      'Interval between reads of the key set. An unknown `kid` triggers a read, at most once per tenth of this interval.',
    ),
  jwtJwksMaxAgeMs: integer(1000, 30 * 24 * 60 * MINUTE_MS)
    .default(24 * 60 * MINUTE_MS)
    .describe('Maximum age of the key set. If no read succeeds for that long, the edge accepts none of its keys.'),
  jwtIssuer: nonEmpty('the issuer of the tokens, such as https://id.example.com')
    .optional()
    .describe('Required value of `iss` in a token. Unset: any value.'),
  jwtAudience: list('audiences such as hubbub')
    .optional()
    .describe('Accepted audiences: `aud` of a token must name one of them. Unset: any value.'),
  jwtLeewayMs: integer(0, 5 * MINUTE_MS)
    .default(5000)
    .describe('Tolerated clock difference to the token issuers, for `exp` and `nbf` (RFC 7519 section 4.1.4).'),
  jwtAllowWithoutExp: flag()
    .default(false)
    .describe('Lets production accept tokens without `exp`, which never expire. Development always accepts them.'),
  revocationTtlMs: integer(1000, 366 * 24 * 60 * MINUTE_MS)
    .default(30 * 24 * 60 * MINUTE_MS)
    .describe(
      'Time that a revocation of tokens is kept, unless the request names one: the longest lifetime of your tokens.',
    ),
  revocationsMaxAgeMs: integer(0, 60 * MINUTE_MS)
    .default(0)
    .describe(
      'Time without a read of the revocations after which an edge refuses handshakes and is not ready. 0: it never refuses.',
    ),
  maxRevocations: integer(1, 1_000_000)
    .default(100_000)
    .describe('Maximum revocations and blocks of the cluster; the API and services refuse further ones.'),
};

export interface SigningSettings {
  readonly production: boolean;
  readonly jwtSecret?: string | undefined;
  readonly jwtAcceptedSecrets: readonly string[];
  readonly jwtPublicKeyFiles: readonly string[];
  readonly jwtJwksUrl?: string | undefined;
}

/** The development secret is used only if no key of any kind is configured, and never in production. */
export function usesDevelopmentSecret(settings: SigningSettings): boolean {
  const { production, jwtSecret, jwtAcceptedSecrets, jwtPublicKeyFiles, jwtJwksUrl } = settings;
  const keys = [...jwtAcceptedSecrets, ...jwtPublicKeyFiles];
  return !production && jwtSecret === undefined && jwtJwksUrl === undefined && keys.length === 0;
}
