/** Settings of tests: files, and the problems that loading finds. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanup } from '../../../../tests/support/cleanup.js';
import { ConfigError, loadConfig } from '../../src/index.js';

/** Writes a configuration file, and removes it after the test. Returns its path. */
export function configFile(name: string, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-config-'));
  cleanup(() => rmSync(folder, { recursive: true }));
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** The environment that names a file with this content. */
export function withFile(content: string): NodeJS.ProcessEnv {
  return { HUBBUB_CONFIG: configFile('hubbub.yaml', content) };
}

export function problemsOf(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
