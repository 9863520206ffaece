/** The command line of the release before this one: a bundle that was built from its commit, unpacked once for each run. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '@hubbub/tools/kit';
import { cleanup } from '../support/cleanup.js';

const BUNDLE = fileURLToPath(new URL('previous-release.tgz', import.meta.url));

/** The path of its `main.js`. It runs with the native engine of this tree; everything else is its own. */
export function unpackPreviousRelease(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-previous-'));
  cleanup(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'hubbub'));
  execFileSync('tar', ['-xzf', BUNDLE, '-C', join(folder, 'hubbub')]);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'hubbub/dist/cli/main.js');
}
