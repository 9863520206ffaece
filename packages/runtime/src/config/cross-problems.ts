/** What no single setting can say of itself, and the defaults that depend on other settings. */
import type { Namespaces } from './namespaces.js';
import type { Settings } from './settings/settings.js';
import { JWT_SECRET_MIN_BYTES } from './settings/tokens.js';

const PRODUCTION_DRAIN_DELAY_MS = 5000;

/** In development there is no balancer to wait for. */
export function drainDelayOf({ drainDelayMs }: Pick<Settings, 'drainDelayMs'>, production: boolean): number {
  return drainDelayMs ?? (production ? PRODUCTION_DRAIN_DELAY_MS : 0);
}

const CONFLATE_ABOVE_BYTES = 65_536;

/** Well below what cuts a slow reader off, whatever that is. */
export function conflateAboveOf(settings: Pick<Settings, 'conflateAboveBytes' | 'maxBufferedBytes'>): number {
  return settings.conflateAboveBytes ?? Math.min(CONFLATE_ABOVE_BYTES, Math.floor(settings.maxBufferedBytes / 4));
}

/** What no single setting can say of itself. */
export function crossProblems(settings: Settings & { readonly namespaces: Namespaces }, production: boolean): string[] {
  const problems: string[] = [];
  problems.push(...tokenProblems(settings, production));
  if ((settings.tlsCertFile === undefined) !== (settings.tlsKeyFile === undefined)) {
    problems.push('HUBBUB_TLS_CERT_FILE and HUBBUB_TLS_KEY_FILE: expected both, or none');
  }
  if (settings.trustedHops > 0 && settings.trustedProxies.length > 0) {
    problems.push('HUBBUB_TRUSTED_HOPS and HUBBUB_TRUSTED_PROXIES: expected one of them');
  }
  if (settings.authorizeConnections && settings.authorizerUrl === undefined) {
    problems.push('HUBBUB_AUTHORIZER_URL: required by HUBBUB_AUTHORIZE_CONNECTIONS');
  }
  for (const [name, { authorize }] of Object.entries(settings.namespaces)) {
    if (authorize.length > 0 && settings.authorizerUrl === undefined) {
      problems.push(`HUBBUB_AUTHORIZER_URL: required by namespaces.${name}.authorize`);
    }
  }
  if (settings.probeTimeoutMs < settings.probeIntervalMs) {
    problems.push('HUBBUB_PROBE_TIMEOUT_MS: expected at least HUBBUB_PROBE_INTERVAL_MS');
  }
  if (conflateAboveOf(settings) > settings.maxBufferedBytes / 2) {
    problems.push(
      `HUBBUB_CONFLATE_ABOVE_BYTES: expected at most half of HUBBUB_MAX_BUFFERED_BYTES (${settings.maxBufferedBytes})`,
    );
  }
  const drainMs = drainDelayOf(settings, production) + settings.drainWindowMs;
  if (settings.shutdownTimeoutMs <= drainMs) {
    problems.push(
      `HUBBUB_SHUTDOWN_TIMEOUT_MS: expected more than HUBBUB_DRAIN_DELAY_MS and HUBBUB_DRAIN_WINDOW_MS together (${drainMs})`,
    );
  }
  return problems;
}

function tokenProblems(settings: Settings, production: boolean): string[] {
  const problems: string[] = [];
  const secrets = [
    ['HUBBUB_JWT_SECRET', settings.jwtSecret],
    ...settings.jwtAcceptedSecrets.map(secret => ['HUBBUB_JWT_ACCEPTED_SECRETS', secret] as const),
  ] as const;
  for (const [variable, secret] of secrets) {
    // Who takes a public key for a secret lets everybody sign (RFC 8725 section 2.1).
    if (secret?.includes('-----BEGIN')) {
      problems.push(`${variable}: expected a secret, got a PEM; public keys belong into HUBBUB_JWT_PUBLIC_KEY_FILES`);
    }
  }
  if (settings.jwtJwksUrl !== undefined && hasCredentials(settings.jwtJwksUrl)) {
    problems.push('HUBBUB_JWT_JWKS_URL: expected a URL without user and password');
  }
  if (settings.jwtAudience?.length === 0) {
    problems.push('HUBBUB_JWT_AUDIENCE: expected at least one audience, or no such setting');
  }
  if (!production) return problems;
  if (!othersSign(settings) && settings.jwtSecret === undefined) {
    problems.push(
      'HUBBUB_JWT_SECRET: required in production (NODE_ENV=production) where there is neither HUBBUB_JWT_PUBLIC_KEY_FILES nor HUBBUB_JWT_JWKS_URL; make one with: openssl rand -base64 48',
    );
  }
  for (const [variable, secret] of secrets) {
    if (secret !== undefined && Buffer.byteLength(secret) < JWT_SECRET_MIN_BYTES) {
      problems.push(`${variable}: expected at least ${JWT_SECRET_MIN_BYTES} bytes (RFC 7518 section 3.2)`);
    }
  }
  if (settings.jwtJwksUrl !== undefined && !isProtected(settings.jwtJwksUrl)) {
    problems.push('HUBBUB_JWT_JWKS_URL: expected https in production: who can change the keys can sign tokens');
  }
  return problems;
}

/** Whether somebody else signs the tokens. */
function othersSign({ jwtPublicKeyFiles, jwtJwksUrl }: Settings): boolean {
  return jwtPublicKeyFiles.length > 0 || jwtJwksUrl !== undefined;
}

function hasCredentials(url: string): boolean {
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}

function isProtected(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
}
