/** Packages that one test or tool needs, and the repository does not: installed on first use. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './hubbub.js';

/**
 * Returns a folder in `.cache` with the packages of the manifest, installed once for each content of it.
 * @param manifest URL of a package.json
 * @throws {Error} if npm cannot install them
 * @example installedPackages('pusher-judges', new URL('package.json', import.meta.url))
 */
export function installedPackages(name: string, manifest: URL): string {
  const content = createHash('sha256').update(readFileSync(manifest)).digest('hex').slice(0, 12);
  const folder = join(ROOT, '.cache', `${name}-${content}`);
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return folder;
  mkdirSync(folder, { recursive: true });
  cpSync(fileURLToPath(manifest), join(folder, 'package.json'));
  const options = { cwd: folder, stdio: 'inherit' } as const;
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], options);
  if (status !== 0) throw new Error(`npm must reach its registry to install ${folder}/package.json.`);
  writeFileSync(complete, '');
  return folder;
}
