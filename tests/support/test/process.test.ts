/** Test processes: awaited, ended, and explained if they end by themselves. */
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startProcess } from '../process.js';

const LISTENING = `
  const server = require('node:http').createServer((request, response) => response.end('{}'));
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    console.log(JSON.stringify({ event: 'listening', port, adminPort: port, secret: process.env.HUBBUB_JWT_SECRET }));
  });`;

async function script(source: string): Promise<string> {
  const path = join(tmpdir(), `hubbub-kit-${process.pid}-${Math.random().toString(36).slice(2)}.cjs`);
  await writeFile(path, source);
  onTestFinished(() => rm(path, { force: true }));
  return path;
}

describe('a process of the test', () => {
  test('counts as started when it is ready, and has only the settings of the test', async () => {
    const started = await startProcess([], { script: await script(LISTENING), env: { HUBBUB_JWT_SECRET: 'mine' } });
    expect(started.port).toBe(started.adminPort);
    expect(started.output.logs).toMatchObject([{ event: 'listening', secret: 'mine' }]);
    expect(await started.kill('SIGTERM')).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test('that ends instead of starting rejects with its output', async () => {
    const failing = await script('console.error("HUBBUB_PORT: expected a whole number"); process.exit(2)');
    const start = startProcess(['edge'], { script: failing, name: 'edge-1' });
    await expect(start).rejects.toThrow(/edge-1 ended with 2.*\nHUBBUB_PORT: expected a whole number/);
  });

  test('that ends by itself later fails its stop', async () => {
    const crashing = await script(`${LISTENING}\nprocess.on('SIGUSR2', () => { throw new Error('boom') })`);
    const started = await startProcess([], { script: crashing, name: 'edge-1' });
    process.kill(started.pid, 'SIGUSR2');
    await started.exited;
    await expect(started.stop()).rejects.toThrow(/edge-1 ended by itself with 1:.*boom/s);
  });
});
