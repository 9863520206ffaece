/** The configuration of the edges: rooms `kept:…` have a history, rooms `plain:…` have none. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @param {number} historySize @returns {{ env: NodeJS.ProcessEnv, remove: () => void }} */
export function namespacesFile(historySize) {
  const dir = mkdtempSync(join(tmpdir(), 'hubbub-bench-'));
  const file = join(dir, 'hubbub.yaml');
  writeFileSync(
    file,
    `namespaces:\n  kept: { public: true, historySize: ${historySize} }\n  plain: { public: true }\n`,
  );
  return { env: { HUBBUB_CONFIG: file }, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
