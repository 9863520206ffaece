/** Checks the servers and files that an edge uses beside Redis: the key set, the authorizer, the files of TLS. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { type Config, withoutCredentials } from '@hubbub/config';
import { checkTlsFiles, fetchKeySet, parseKeySet } from '@hubbub/edge';
import { type Check, fail, messageOf, ok, warn } from './check.js';

const CONNECT_TIMEOUT_MS = 3000;
const DAY_MS = 86_400_000;
const RENEW_WITHIN_DAYS = 14;

export async function neighbors(config: Config): Promise<Check[]> {
  const checks = await Promise.all([keySet(config), authorizer(config)]);
  return [...tls(config), ...checks.flat()];
}

function tls({ tlsCertFile: certFile, tlsKeyFile: keyFile }: Config): Check[] {
  if (certFile === undefined || keyFile === undefined) return [];
  try {
    checkTlsFiles({ certFile, keyFile });
  } catch (error) {
    return [fail('TLS', messageOf(error), 'Correct HUBBUB_TLS_CERT_FILE and HUBBUB_TLS_KEY_FILE')];
  }
  const { validTo } = new X509Certificate(readFileSync(certFile));
  const days = Math.floor((Date.parse(validTo) - Date.now()) / DAY_MS);
  const change = `Renew ${certFile}, then send the edges SIGHUP`;
  if (days < 0) return [fail('TLS', `the certificate expired on ${validTo}`, change)];
  const found = `the certificate is valid until ${validTo}`;
  return [days < RENEW_WITHIN_DAYS ? warn('TLS', found, change) : ok('TLS', found)];
}

async function keySet({ jwtJwksUrl: url, jwtRsaAlgorithm }: Config): Promise<Check[]> {
  if (url === undefined) return [];
  const address = withoutCredentials(url);
  try {
    const { keys } = parseKeySet(await fetchKeySet(url, new AbortController().signal), jwtRsaAlgorithm);
    const found = `${address}: ${keys.size} usable keys`;
    return [
      keys.size > 0 ? ok('key set', found) : fail('key set', found, 'Publish an RSA, P-256 or Ed25519 key there'),
    ];
  } catch (error) {
    return [
      fail('key set', `${address}: ${messageOf(error)}`, 'Correct HUBBUB_JWT_JWKS_URL, or let this machine reach it'),
    ];
  }
}

/** Connects and asks nothing: a question could be counted there. */
async function authorizer({ authorizerUrl: url }: Config): Promise<Check[]> {
  if (url === undefined) return [];
  const { hostname, port, protocol, host } = new URL(url);
  const failure = await new Promise<string | undefined>(resolve => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      timeout: CONNECT_TIMEOUT_MS,
    });
    const end = (problem?: string): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.once('connect', () => end());
    socket.once('timeout', () => end(`no connection within ${CONNECT_TIMEOUT_MS} ms`));
    socket.once('error', error => end(error.message));
  });
  if (failure === undefined) return [ok('authorizer', `takes connections at ${host}`)];
  return [fail('authorizer', `${host}: ${failure}`, 'Start it, or correct HUBBUB_AUTHORIZER_URL')];
}
