/** Files of the repository: where they are, what is in them, whether they have changed. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The absolute path of a file named from the root. */
export function at(path) {
  return join(ROOT, path);
}

export function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** All files below a folder, without `dist`; none when there is no such folder. */
export function listFiles(folder) {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.name !== 'dist');
  return entries.flatMap(entry => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}

export function hashOf(text) {
  return createHash('sha256').update(text).digest('hex');
}
