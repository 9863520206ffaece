/** The log of a process whose stdout does not take what is written: the process itself must not notice. */
import { spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const LOGGER = fileURLToPath(new URL('../dist/logger.js', import.meta.url));

/** Runs a program with a logger `log`; it reports on stderr. */
function run(program: string, stdout: 'pipe' | number) {
  const source = `import { createLogger } from ${JSON.stringify(LOGGER)};
    const log = createLogger({ level: 'info', process: 'test', nodeId: 'n1' });
    ${program}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', stdout, 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = new Promise(resolve => child.once('exit', (code, signal) => resolve(code ?? signal)));
  return { child, exit };
}

test('lines beyond a bound are dropped while the log is not read, and the log reports how many', async () => {
  // 16 MB of lines, then `end` once the reader has taken what waited.
  const { child, exit } = run(
    `for (let n = 0; n < 16_000; n++) log.info({ n }, 'x'.repeat(1000));
     console.error(process.stdout.writableLength);
     const end = () => (process.stdout.writableLength > 0 ? setTimeout(end, 10) : log.info('end'));
     end();`,
    'pipe',
  );
  const stderr = child.stderr === null ? '' : await new Promise<Buffer>(resolve => child.stderr?.once('data', resolve));
  expect(Number(String(stderr))).toBeLessThan(2 * 1024 * 1024);
  const lines = (await text(child.stdout as NodeJS.ReadableStream))
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(await exit).toBe(0);
  const notice = lines.find(({ event }) => event === 'log_lines_dropped');
  const written = lines.filter(({ n }) => n !== undefined).length;
  expect(notice).toMatchObject({ level: 'warn', process: 'test', dropped: 16_000 - written });
  expect(lines.at(-1)).toMatchObject({ msg: 'end' });
});

test.skipIf(!existsSync('/dev/full'))('a disk without space ends no process', async () => {
  const { exit } = run(
    `log.info('first'); setTimeout(() => { log.info('second'); log.flush(() => process.exit(7)); }, 50);`,
    openSync('/dev/full', 'w'),
  );
  expect(await exit).toBe(7);
});
