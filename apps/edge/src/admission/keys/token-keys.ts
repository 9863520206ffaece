/** Every key whose tokens are accepted, and the choice among them. */
import { type Config, ConfigError, DEVELOPMENT_JWT_SECRET, usesDevelopmentSecret } from '@hubbub/config';
import { HubbubError, isPlainObject } from '@hubbub/protocol';
import type { Logger, MetricsRegistry } from '@hubbub/runtime';
import { type ClaimsVerifier, checkClaims, continueWith, type VerifiedClaims } from '../claims.js';
import { fetchKeySet } from './fetch-key-set.js';
import { createKeySetMetrics } from './key-set-metrics.js';
import { readPublicKeyFiles } from './pem-files.js';
import { RemoteKeys } from './remote-keys.js';
import { isPublicKeyAlgorithm, secretKey, type VerificationKey } from './verification-key.js';

export type TokenSettings = Pick<
  Config,
  | 'production'
  | 'jwtSecret'
  | 'jwtAcceptedSecrets'
  | 'jwtSecretAlgorithm'
  | 'jwtPublicKeyFiles'
  | 'jwtRsaAlgorithm'
  | 'jwtJwksUrl'
  | 'jwtJwksRefreshMs'
  | 'jwtJwksMaxAgeMs'
  | 'jwtIssuer'
  | 'jwtAudience'
  | 'jwtLeewayMs'
  | 'jwtAllowWithoutExp'
>;

export interface TokenKeys {
  readonly verifyClaims: ClaimsVerifier;
  /** Stops what reads keys again. */
  close(): void;
}

/**
 * The keys that the configuration names. Files are read now; a key set by URL is read in the background, from now on.
 *
 * @throws {ConfigError} naming each file that holds no key of ours.
 * @example
 * const keys = openTokenKeys(config, { log, metrics });
 * const { claims, expiresAtMs } = await keys.verifyClaims(token);
 */
export function openTokenKeys(
  settings: TokenSettings,
  { log, metrics }: { readonly log: Logger; readonly metrics: MetricsRegistry },
): TokenKeys {
  const { jwtRsaAlgorithm: rsaAlgorithm, jwtJwksUrl: url, jwtIssuer: issuer, jwtAudience: audience } = settings;
  const problems: string[] = [];
  const own: readonly VerificationKey[] = [
    ...secretsOf(settings).map(secret => secretKey(secret, settings.jwtSecretAlgorithm)),
    ...readPublicKeyFiles(settings.jwtPublicKeyFiles, rsaAlgorithm, problems),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  const remote =
    url === undefined
      ? undefined
      : new RemoteKeys({
          fetch: stop => fetchKeySet(url, stop),
          refreshMs: settings.jwtJwksRefreshMs,
          maxAgeMs: settings.jwtJwksMaxAgeMs,
          rsaAlgorithm,
          metrics: createKeySetMetrics(metrics, log),
        });
  const requireExp = settings.production && !settings.jwtAllowWithoutExp;
  const readHeader = headerReader();
  const policy = { leewayMs: settings.jwtLeewayMs, issuer, audience, requireExp };

  function verifyWith(keys: readonly VerificationKey[], alg: string, token: string): VerifiedClaims | undefined {
    for (const key of keys) {
      // A key of another algorithm would fail.
      const claims = key.algorithm === alg ? key.read(token) : undefined;
      if (claims !== undefined) return checkClaims(claims, policy, Date.now());
    }
    return undefined;
  }

  return {
    verifyClaims(token) {
      const { alg, kid } = readHeader(token);
      const verified = verifyWith(own, alg, token);
      if (verified !== undefined) return verified;
      // A key set contains no secrets: a token that was signed with one needs no request.
      if (remote === undefined || kid === undefined || !isPublicKeyAlgorithm(alg)) throw notValid();
      return continueWith(remote.find(kid), keys => {
        const verified = verifyWith(keys, alg, token);
        if (verified === undefined) throw notValid();
        return verified;
      });
    },
    close: () => remote?.close(),
  };
}

/** The development secret is used only if no key is configured. */
function secretsOf(settings: TokenSettings): readonly string[] {
  if (usesDevelopmentSecret(settings)) return [DEVELOPMENT_JWT_SECRET];
  const { jwtSecret, jwtAcceptedSecrets } = settings;
  return jwtSecret === undefined ? jwtAcceptedSecrets : [jwtSecret, ...jwtAcceptedSecrets];
}

interface TokenHeader {
  readonly alg: string;
  readonly kid: string | undefined;
}

/** The headers of a request have at most so much (HUBBUB_MAX_HEADER_BYTES), and so has no honest token more. */
const TOKEN_MAX_CHARACTERS = 65_536;

/**
 * Reads the header before anything is verified: it may only point to a key, never choose its algorithm. The last header is
 * remembered, because nearly all tokens of an issuer have the same one.
 */
function headerReader(): (token: string) => TokenHeader {
  let lastText = '';
  let last: TokenHeader | undefined;
  /** @throws {HubbubError} `UNAUTHORIZED` */
  return token => {
    const text = token.length > TOKEN_MAX_CHARACTERS ? '' : token.slice(0, Math.max(0, token.indexOf('.')));
    if (last !== undefined && text === lastText) return last;
    const header = decode(text);
    if (header === undefined || typeof header.alg !== 'string') throw notValid();
    // Extensions that must be understood (RFC 7515 section 4.1.11): we understand none, and an empty list is an error, too.
    if (Object.hasOwn(header, 'crit')) {
      throw new HubbubError('UNAUTHORIZED', 'The token requires unsupported extensions (header crit).');
    }
    const { alg, kid } = header;
    lastText = Buffer.from(text).toString(); // A copy: the text is a view of its token.
    last = { alg, kid: typeof kid === 'string' ? kid : undefined };
    return last;
  };
}

function notValid(): HubbubError {
  return new HubbubError('UNAUTHORIZED', 'The token is not valid.');
}

function decode(text: string): Readonly<Record<string, unknown>> | undefined {
  if (text === '') return undefined;
  try {
    const header: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return isPlainObject(header) ? header : undefined;
  } catch {
    return undefined; // Not JSON: not a token.
  }
}
