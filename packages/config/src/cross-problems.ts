/** Checks of settings against each other, and defaults that depend on other settings. */
import { isProtectedUrl } from './loopback.js';
import { bufferedBytesFor, memoryLimitBytes, sessionsFor } from './memory-limit.js';
import type { Namespaces } from './namespaces.js';
import { pusherAppProblems } from './pusher-app-problems.js';
import type { PusherApp } from './pusher-apps.js';
import { brokenRelations, type RelatedSettings } from './relations.js';
import type { RoomPath } from './room-paths.js';
import { API_KEY_MIN_BYTES, JWT_SECRET_MIN_BYTES, secretWeakness } from './secret-strength.js';
import { hasCredentials } from './settings/fields.js';
import type { Settings } from './settings/settings.js';
import { webhookProblems } from './webhook-problems.js';
import type { Webhooks } from './webhooks.js';

const PRODUCTION_DRAIN_DELAY_MS = 5000;

/** In development there is no balancer to wait for. */
function drainDelayOf({ drainDelayMs }: Pick<Settings, 'drainDelayMs'>, production: boolean): number {
  return drainDelayMs ?? (production ? PRODUCTION_DRAIN_DELAY_MS : 0);
}

const CONFLATE_ABOVE_BYTES = 65_536;

/** Well below what cuts a slow reader off, whatever that is. */
function conflateAboveOf(settings: Pick<Settings, 'conflateAboveBytes' | 'maxBufferedBytes'>): number {
  return settings.conflateAboveBytes ?? Math.min(CONFLATE_ABOVE_BYTES, Math.floor(settings.maxBufferedBytes / 4));
}

const PING_INTERVAL_MS = 25_000;
/** A ping that is lost is followed by another before the edge closes the session. */
const PING_SHARE_OF_IDLE_TIMEOUT = 0.5;

function pingIntervalOf(settings: Pick<Settings, 'pingIntervalMs' | 'idleTimeoutMs'>): number {
  return settings.pingIntervalMs ?? Math.min(PING_INTERVAL_MS, settings.idleTimeoutMs * PING_SHARE_OF_IDLE_TIMEOUT);
}

type AllSettings = Settings & {
  readonly namespaces: Namespaces;
  readonly webhooks: Webhooks;
  readonly pusherApps: readonly PusherApp[];
  readonly roomPaths: readonly RoomPath[];
};

/** With those that depend on others. */
export function withDefaults(settings: AllSettings, production: boolean): RelatedSettings {
  return {
    ...settings,
    drainDelayMs: drainDelayOf(settings, production),
    conflateAboveBytes: conflateAboveOf(settings),
    pingIntervalMs: pingIntervalOf(settings),
    maxTotalBufferedBytes: settings.maxTotalBufferedBytes ?? bufferedBytesFor(memoryLimitBytes()),
    maxSessions: settings.maxSessions ?? sessionsFor(memoryLimitBytes()),
  };
}

interface CrossCheck {
  /** Where one of these is wrong itself, this check has nothing to go by. */
  readonly reads: readonly (keyof AllSettings)[];
  problemsOf(settings: AllSettings, production: boolean): string[];
}

/** A check that can read nothing but the settings that it names. */
function check<Name extends keyof AllSettings>(
  reads: readonly Name[],
  problemsOf: (settings: Pick<AllSettings, Name>, production: boolean) => string[],
): CrossCheck {
  return { reads, problemsOf };
}

const CHECKS: readonly CrossCheck[] = [
  check(['jwtSecret'], ({ jwtSecret }, production) =>
    jwtSecret === undefined ? [] : secretProblems('HUBBUB_JWT_SECRET', [jwtSecret], production),
  ),
  check(['jwtAcceptedSecrets'], ({ jwtAcceptedSecrets }, production) =>
    secretProblems('HUBBUB_JWT_ACCEPTED_SECRETS', jwtAcceptedSecrets, production),
  ),
  check(['apiKeys'], ({ apiKeys }, production) =>
    apiKeyProblems(
      'HUBBUB_API_KEYS',
      apiKeys.flatMap(({ key }) => key ?? []),
      production,
    ),
  ),
  check(['presenceApiKeys'], ({ presenceApiKeys }, production) =>
    apiKeyProblems('HUBBUB_PRESENCE_API_KEYS', presenceApiKeys, production),
  ),
  check(['jwtJwksUrl'], ({ jwtJwksUrl: url }, production) => [
    ...(url !== undefined && hasCredentials(url)
      ? ['HUBBUB_JWT_JWKS_URL: expected a URL without user and password']
      : []),
    ...(url !== undefined && production && !isProtectedUrl(url)
      ? ['HUBBUB_JWT_JWKS_URL: expected https in production: anyone who can change the keys can sign tokens']
      : []),
  ]),
  check(['jwtJwksUrl', 'jwtIssuer', 'jwtAudience'], ({ jwtJwksUrl, jwtIssuer, jwtAudience }, production) =>
    production && jwtJwksUrl !== undefined && jwtIssuer === undefined && jwtAudience === undefined
      ? [
          'HUBBUB_JWT_JWKS_URL: requires HUBBUB_JWT_AUDIENCE or HUBBUB_JWT_ISSUER in production: the keys sign tokens of other applications too; set for example HUBBUB_JWT_AUDIENCE=hubbub',
        ]
      : [],
  ),
  check(['jwtAudience'], ({ jwtAudience }) =>
    jwtAudience?.length === 0
      ? ['HUBBUB_JWT_AUDIENCE: expected at least one audience, such as hubbub, or no such setting']
      : [],
  ),
  check(['tlsCertFile', 'tlsKeyFile'], ({ tlsCertFile, tlsKeyFile }) =>
    (tlsCertFile === undefined) === (tlsKeyFile === undefined)
      ? []
      : ['HUBBUB_TLS_CERT_FILE and HUBBUB_TLS_KEY_FILE: expected both, or none'],
  ),
  check(['redisTlsCertFile', 'redisTlsKeyFile'], ({ redisTlsCertFile, redisTlsKeyFile }) =>
    (redisTlsCertFile === undefined) === (redisTlsKeyFile === undefined)
      ? []
      : ['HUBBUB_REDIS_TLS_CERT_FILE and HUBBUB_REDIS_TLS_KEY_FILE: expected both, or none'],
  ),
  check(['redisUrl', 'registryRedisUrl'], ({ redisUrl, registryRedisUrl }) =>
    redisUrl === undefined && registryRedisUrl !== undefined
      ? ['HUBBUB_REGISTRY_REDIS_URL: requires HUBBUB_REDIS_URL, the Redis of the rooms']
      : [],
  ),
  check(['redisUrl', 'registryRedisUrl', 'redisTlsCaFile', 'redisTlsCertFile'], settings =>
    (settings.redisTlsCaFile ?? settings.redisTlsCertFile) === undefined ||
    [settings.redisUrl, settings.registryRedisUrl].some(url => /(^|,)rediss[+:]/.test(url ?? ''))
      ? []
      : ['HUBBUB_REDIS_URL: expected TLS (rediss://), because there are files of HUBBUB_REDIS_TLS_*'],
  ),
  check(['trustedHops', 'trustedProxies'], ({ trustedHops, trustedProxies }) =>
    trustedHops > 0 && trustedProxies.length > 0
      ? ['HUBBUB_TRUSTED_HOPS and HUBBUB_TRUSTED_PROXIES: expected one of them']
      : [],
  ),
  check(['authorizeConnections', 'authorizerUrl'], ({ authorizeConnections, authorizerUrl }) =>
    authorizeConnections && authorizerUrl === undefined
      ? ['HUBBUB_AUTHORIZER_URL: required by HUBBUB_AUTHORIZE_CONNECTIONS']
      : [],
  ),
  check(['namespaces', 'authorizerUrl'], ({ namespaces, authorizerUrl }) =>
    Object.entries(namespaces)
      .filter(([, { authorize }]) => authorize.length > 0 && authorizerUrl === undefined)
      .map(([name]) => `HUBBUB_AUTHORIZER_URL: required by namespaces.${name}.authorize`),
  ),
  check(['pusherApps', 'namespaces', 'roomPaths', 'webhookAllowHttp'], pusherAppProblems),
  check(['webhooks', 'namespaces', 'webhookSecrets', 'webhookAllowHttp'], webhookProblems),
];

/** Of processes that verify tokens. */
const TOKEN_KEY_CHECK = check(
  ['jwtSecret', 'jwtPublicKeyFiles', 'jwtJwksUrl'],
  ({ jwtSecret, jwtPublicKeyFiles, jwtJwksUrl }, production) =>
    production && jwtSecret === undefined && jwtPublicKeyFiles.length === 0 && jwtJwksUrl === undefined
      ? [
          'HUBBUB_JWT_SECRET: required in production (NODE_ENV=production) where there is neither HUBBUB_JWT_PUBLIC_KEY_FILES nor HUBBUB_JWT_JWKS_URL; make one with: openssl rand -base64 48',
        ]
      : [],
);

interface CheckOptions {
  readonly production: boolean;
  readonly verifiesTokens: boolean;
  /** Settings that are wrong themselves, so that `settings` holds their default. */
  readonly wrong: ReadonlySet<string>;
}

export function crossProblems(settings: AllSettings, { production, verifiesTokens, wrong }: CheckOptions): string[] {
  const checks = verifiesTokens ? [...CHECKS, TOKEN_KEY_CHECK] : CHECKS;
  const single = checks.filter(({ reads }) => !reads.some(name => wrong.has(name)));
  const related = brokenRelations(withDefaults(settings, production), wrong).filter(
    ({ severity }) => severity === 'problem',
  );
  return [
    ...single.flatMap(({ problemsOf }) => problemsOf(settings, production)),
    ...related.map(({ message }) => message),
  ];
}

function secretProblems(variable: string, secrets: readonly string[], production: boolean): string[] {
  // With a public key as the secret, everybody can sign (RFC 8725 section 2.1).
  if (secrets.some(secret => secret.includes('-----BEGIN'))) {
    return [
      `${variable}: expected a secret, such as from openssl rand -base64 48, and not a PEM; public keys belong into HUBBUB_JWT_PUBLIC_KEY_FILES`,
    ];
  }
  return production ? weaknesses(variable, 'secret', secrets, JWT_SECRET_MIN_BYTES) : [];
}

function apiKeyProblems(variable: string, keys: readonly string[], production: boolean): string[] {
  return production ? weaknesses(variable, 'key', keys, API_KEY_MIN_BYTES) : [];
}

function weaknesses(variable: string, what: string, secrets: readonly string[], minBytes: number): string[] {
  return secrets.flatMap((secret, index) => {
    const weakness = secretWeakness(secret, minBytes);
    if (weakness === undefined) return [];
    // One that holds a comma has become two short ones.
    const which = secrets.length === 1 ? '' : `${what} ${index + 1} of ${secrets.length} `;
    return [`${variable}: ${which}${weakness}${which === '' ? '' : '; commas separate them'}`];
  });
}
