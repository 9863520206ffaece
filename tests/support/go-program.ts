/** Programs of the tests in Go. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { provisionGo, titleOf } from './provision.js';

const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));

/**
 * The path of the program, built once for each content of its files; `undefined` where Go or its modules are missing.
 * @param needs the text of the notice in that case
 * @param target the package: of the folder itself, or a tool that its go.mod requires
 */
export function buildGoProgram(folder: URL, name: string, needs: string, target = '.'): string | undefined {
  const source = fileURLToPath(folder);
  const go = provisionGo();
  const content = createHash('sha256');
  for (const file of ['main.go', 'go.mod', 'go.sum'].filter(file => existsSync(`${source}${file}`))) {
    content.update(readFileSync(`${source}${file}`));
  }
  const path = `${CACHE}${name}-${content.digest('hex').slice(0, 12)}`;
  if (existsSync(path)) return path;
  const options = { cwd: source, stdio: 'inherit' } as const;
  if (go === undefined || spawnSync(go, ['mod', 'download'], options).status !== 0) {
    titleOf(undefined, needs);
    return undefined;
  }
  mkdirSync(CACHE, { recursive: true });
  // Another test worker may build simultaneously.
  const own = `${path}-${process.pid}`;
  execFileSync(go, ['build', '-o', own, target], options);
  renameSync(own, path);
  return path;
}
