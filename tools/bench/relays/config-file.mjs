/** Configuration files of the measured processes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Writes a configuration, for HUBBUB_CONFIG. The file lives as long as this process. @param {object} content @returns {string} its path */
export function configFile(content) {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'hubbub.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
}
