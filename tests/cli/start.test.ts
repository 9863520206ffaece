/** `hubbub start` and `npm start`: the ports of the command line, and the processes that remain. */
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startProcess } from '../support/process.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Beside the folders, what a build reads. */
const FILES = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.base.json'];

test('--port and --admin-port override the environment', async () => {
  const env = { HUBBUB_PORT: 'not-a-port', HUBBUB_ADMIN_PORT: 'not-a-port' };
  const hub = await startProcess(['start', '--port', '0', '--admin-port', '0'], { env });
  expect((await fetch(`http://127.0.0.1:${hub.port}/`)).status).toBe(200);
});

test('npm start leaves no process of the build behind', async () => {
  // A copy, because a build must not replace what the processes of other tests run from.
  const folder = await mkdtemp(`${ROOT}test-results-`);
  cleanup(() => rm(folder, { recursive: true }));
  for (const name of ['packages', 'apps', 'tools', 'examples', 'scripts', ...FILES]) {
    await cp(ROOT + name, `${folder}/${name}`, { recursive: true, preserveTimestamps: true });
  }
  await symlink(`${ROOT}node_modules`, `${folder}/node_modules`);
  const hub = await startProcess(['--port', '0', '--admin-port', '0'], {
    script: `${folder}/scripts/start.mjs`,
    listensWithinMs: 120_000,
  });
  expect(hub.output.lines.join('\n')).toContain('Building …');
  expect(spawnSync('pgrep', ['-P', String(hub.pid)], { encoding: 'utf8' }).stdout).toBe('');
}, 180_000);
