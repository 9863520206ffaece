/** The Redis of a cluster: the one of HUBBUB_REDIS_URL, or a private one that keeps nothing. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { end } from './child.js';

export interface ExampleRedis {
  readonly url: string;
  close(): Promise<void>;
}

/** Rejects with what to install where there is no Redis. */
export async function openRedis(url: string | undefined): Promise<ExampleRedis> {
  if (url !== undefined) return { url, close: async () => {} };
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()];
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.once('error', () =>
      reject(
        new Error('--redis needs HUBBUB_REDIS_URL, or redis-server on the PATH (Debian: apt-get install redis-server)'),
      ),
    );
    child.once('exit', code => reject(new Error(`redis-server ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', line => {
      if (line.includes('Ready to accept connections')) resolve();
    });
  });
  return { url: `redis://127.0.0.1:${port}`, close: () => end(child) };
}

export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
