/** Starts a Redis for the run, on 127.0.0.1, without persistence. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { lineOf, start, stop } from './processes.mjs';

const SERVERS = ['redis-server', 'valkey-server'];

/** @returns {{ command: string, version: string }} @throws {Error} if it is not installed */
export function findRedis() {
  for (const command of SERVERS) {
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (status === 0) return { command, version: `${command} ${/v=(\S+)/.exec(stdout)?.[1] ?? stdout.trim()}` };
  }
  throw new Error(
    'The benchmarks need redis-server (or valkey-server) on the PATH; on Debian: apt-get install redis-server',
  );
}

/** @param {string} command @param {string | undefined} cpus */
export async function startRedis(command, cpus) {
  const port = await freePort();
  const keepNothing = ['--save', '', '--appendonly', 'no', '--dir', tmpdir()];
  const child = start(command, ['--port', String(port), '--bind', '127.0.0.1', ...keepNothing], {
    name: 'Redis',
    cpus,
  });
  await lineOf(child, line => (line.includes('Ready to accept connections') ? true : undefined), { name: 'Redis' });
  return { url: `redis://127.0.0.1:${port}`, pids: [child.pid], close: () => stop(child) };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
