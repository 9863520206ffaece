/** One process at a time prepares: `npm test` beside `npm start` must not install into the same directory. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, readIfThere } from './files.mjs';
import { say } from './terminal.mjs';

const LOCK = at('.cache/prepare.lock');

/** Runs `work` when no other process does; waits for one that does. */
export async function alone(work) {
  mkdirSync(at('.cache'), { recursive: true });
  for (let attempt = 0; !take(); attempt++) {
    if (attempt === 1) say('Waiting for another install or build …');
    await sleep(200);
  }
  process.once('exit', release); // Also when the work ends the process.
  await work();
  process.off('exit', release);
  release();
}

function take() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const holder = Number(readIfThere(LOCK));
    if (holder > 0 && !isAlive(holder)) release(); // It was killed: the next attempt succeeds.
    return false;
  }
}

function release() {
  rmSync(LOCK, { force: true });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM'; // Somebody else's process is alive too.
  }
}
