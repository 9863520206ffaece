/** Child processes of the tests, noted on disk so that those of a killed test worker are ended too. */
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

/** Notes a child until it exits. */
export function adopt(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return; // It could not be spawned: there is nothing to end.
  const directory = process.env[NOTES];
  const note = directory === undefined ? undefined : join(directory, String(pid));
  if (note !== undefined) writeFileSync(note, '');
  living.add(child);
  child.once('exit', () => {
    living.delete(child);
    if (note !== undefined) rmSync(note, { force: true });
  });
}

/** Makes the directory of the notes, and returns what ends the children still noted there. */
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
    // It has exited in the meantime, as it should.
  }
}
