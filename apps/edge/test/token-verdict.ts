/** Shared by the tests of tokens: keys, settings that name them, and the verdict on a token. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HubbubError } from '@hubbub/protocol';
import { createLogger, createMetricsRegistry } from '@hubbub/runtime';
import { afterAll, expect } from 'vitest';
import { keyPair } from '../../../tests/support/jwt.js';
import { openTokenKeys, type TokenKeys, type TokenSettings } from '../src/admission/keys/token-keys.js';
import { createTokenVerifier } from '../src/admission/token.js';

export const SECRET = 'the-secret-of-this-test-has-more-than-64-bytes-so-that-it-is-enough-for-HS512';
export const OTHER_SECRET = 'another-secret-of-this-test-has-more-than-64-bytes-so-that-it-is-enough-as-well';

export const rsa = keyPair('RSA-2048');
export const otherRsa = keyPair('RSA-2048');
export const p256 = keyPair('P-256');
export const otherP256 = keyPair('P-256');
export const ed25519 = keyPair('Ed25519');
export const otherEd25519 = keyPair('Ed25519');

export const nowSeconds = () => Math.floor(Date.now() / 1000);
export const claims = (more: object = {}) => ({ sub: 'alice', exp: nowSeconds() + 60, ...more });

const folder = mkdtempSync(join(tmpdir(), 'hubbub-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The path of a new file. */
export function file(content: string): string {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.pem`);
  writeFileSync(path, content);
  return path;
}

export const withSecret = { jwtSecret: SECRET };

export function withPem(...pairs: { readonly pem: string }[]): Partial<TokenSettings> {
  return { jwtPublicKeyFiles: pairs.map(({ pem }) => file(pem)) };
}

export function openKeys(more: Partial<TokenSettings> = {}): TokenKeys {
  const settings: TokenSettings = {
    production: false,
    jwtAcceptedSecrets: [],
    jwtSecretAlgorithm: 'HS256',
    jwtPublicKeyFiles: [],
    jwtRsaAlgorithm: 'RS256',
    jwtJwksRefreshMs: 600_000,
    jwtJwksMaxAgeMs: 86_400_000,
    jwtLeewayMs: 5000,
    jwtAllowWithoutExp: false,
    ...more,
  };
  const log = createLogger({ level: 'silent', process: 'test', nodeId: 'test' });
  return openTokenKeys(settings, { log, metrics: createMetricsRegistry() });
}

/** The verdict on a session token: its user, or the code of the refusal, which reveals nothing about the token. */
export async function verdict(token: string, more: Partial<TokenSettings> = {}): Promise<string> {
  const keys = openKeys(more);
  try {
    return (await createTokenVerifier(keys.verifyClaims)(token)).user.id;
  } catch (error) {
    if (!(error instanceof HubbubError)) throw error;
    const signature = token.split('.').at(-1) ?? '';
    if (signature.length > 10) expect(error.message).not.toContain(signature);
    expect(error.cause, 'a cause may quote the token').toBeUndefined();
    return error.code;
  } finally {
    keys.close();
  }
}
