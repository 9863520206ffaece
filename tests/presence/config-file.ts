/** A configuration file for the processes of a story: namespaces and room paths cannot be set by environment. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanup } from '../support/cleanup.js';

/** Writes the file, removes it with the test, and returns the setting that names it. */
export function withConfigFile(content: object): { readonly HUBBUB_CONFIG: string } {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-'));
  cleanup(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'hubbub.json');
  writeFileSync(file, JSON.stringify(content));
  return { HUBBUB_CONFIG: file };
}

export function withNamespaces(namespaces: Readonly<Record<string, object>>): { readonly HUBBUB_CONFIG: string } {
  return withConfigFile({ namespaces });
}
