/** Secrets of a cluster, as deploy/make-secrets.sh writes them for Compose. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { deployFile } from './proxy.js';

/** The keys of the example. */
const SERVICE_KEYS = 'hubbub-example:*';

/** A folder with new secrets, until the test file ends. Call it outside of tests. @param address of Redis, with USER and PASSWORD */
export function makeSecrets(address?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-secrets-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  writeSecrets(folder, address);
  return folder;
}

export function writeSecrets(folder: string, address?: string): void {
  const args = [folder, ...(address === undefined ? [] : [address])];
  execFileSync(deployFile('make-secrets.sh'), args, { env: { ...process.env, SERVICE_KEYS } });
}

/** An ACL file with these users, except that the test itself, as the user `default`, needs no password. */
export function writeTestUsers(folder: string): string {
  const users = readFileSync(join(folder, 'users.acl'), 'utf8');
  const path = join(folder, 'test.acl');
  writeFileSync(path, users.replace(/^user default .*$/m, 'user default on nopass ~* &* +@all'));
  return path;
}
