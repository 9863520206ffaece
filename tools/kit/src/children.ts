/** Child processes of the tests, recorded on disk so that those of a killed test worker end too. */
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Set by `global-setup.ts`, inherited by the test workers. */
const NOTES = 'HUBBUB_TEST_CHILDREN';
const living = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** Records a child until it exits. */
export function adopt(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return; // Spawning failed: there is nothing to end.
  const directory = process.env[NOTES];
  const note = directory === undefined ? undefined : join(directory, String(pid));
  if (note !== undefined) writeFileSync(note, '');
  living.add(child);
  child.once('exit', () => {
    living.delete(child);
    if (note !== undefined) rmSync(note, { force: true });
  });
}

/** Creates the directory of the records. Returns a function that ends the children still recorded there. */
export function keepChildren(): () => void {
  const directory = join(tmpdir(), `hubbub-test-children-${process.pid}`);
  mkdirSync(directory, { recursive: true });
  process.env[NOTES] = directory;
  return () => {
    for (const pid of readdirSync(directory)) endQuietly(Number(pid));
    rmSync(directory, { recursive: true, force: true });
  };
}

function endQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has exited in the meantime.
  }
}
