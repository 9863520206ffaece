/** SIGTERM ends a process whatever became of the reader of its log; else a supervisor would wait and then kill it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adopt, eventually } from '@hubbub/tools/kit';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startProcess } from '../support/process.js';

const MAIN = fileURLToPath(new URL('../../apps/hubbub/dist/main.js', import.meta.url));
const ENV = { HUBBUB_PORT: '0', HUBBUB_ADMIN_PORT: '0' };

/** A hub that logs into a pipe. The test holds both ends: it reads when it wants to, and can fill the pipe. */
async function startIntoPipe(): Promise<{ hub: ChildProcess; read(): string; fill(): void }> {
  const directory = mkdtempSync(join(tmpdir(), 'hubbub-log-'));
  cleanup(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', [path]);
  const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  cleanup(() => closeSync(both));
  const writeEnd = openSync(path, 'w'); // Blocks on a full pipe, like the end that a shell or a supervisor hands over.
  const hub = spawn(process.execPath, [MAIN, 'start'], {
    env: { ...process.env, ...ENV },
    stdio: ['ignore', writeEnd, 'inherit'],
  });
  adopt(hub);
  cleanup(() => hub.kill('SIGKILL'));
  closeSync(writeEnd);
  const chunk = Buffer.alloc(4096);
  const untilRefused = (act: () => unknown): void => {
    try {
      for (;;) act();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  };
  return {
    hub,
    read() {
      let text = '';
      untilRefused(() => {
        text += chunk.toString('utf8', 0, readSync(both, chunk));
      });
      return text;
    },
    fill: () => untilRefused(() => writeSync(both, chunk)),
  };
}

async function untilUp(read: () => string): Promise<void> {
  let log = '';
  const hasListened = (): boolean => {
    log += read();
    return log.includes('"event":"listening"');
  };
  await eventually(hasListened, { describe: 'the hub listens' });
}

function exitOf(hub: ChildProcess): Promise<number | null> {
  return new Promise(resolve => hub.once('exit', resolve));
}

describe('SIGTERM ends a hub with 0', () => {
  test('after the reader of its log has gone', async () => {
    const hub = await startProcess(['start'], { env: ENV });
    hub.child.stdout?.destroy();
    hub.child.stderr?.destroy();
    expect(await hub.kill('SIGTERM')).toMatchObject({ code: 0 });
  });

  test('while its log is not read and the pipe is full', async () => {
    const { hub, read, fill } = await startIntoPipe();
    await untilUp(read);
    fill();
    const exit = exitOf(hub);
    hub.kill('SIGTERM');
    expect(await exit).toBe(0);
  });

  test('and its reader receives the last line', async () => {
    const { hub, read } = await startIntoPipe();
    await untilUp(read);
    const exit = exitOf(hub);
    hub.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(read()).toContain('"event":"stopped"');
  });
});
