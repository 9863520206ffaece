/** nginx with `deploy/nginx/nginx.conf`: only addresses and paths are replaced. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  deployFile,
  ownPort,
  provisionProgram,
  type RunningProxy,
  startProxy,
  temporaryDirectory,
  type Upstreams,
} from './proxy.js';

export function provisionNginx(): string {
  return provisionProgram('nginx', { apt: 'nginx', apk: 'nginx', dnf: 'nginx' });
}

export interface Nginx extends RunningProxy {
  accessLog(): string;
}

export async function startNginx([one, two]: Upstreams): Promise<Nginx> {
  const directory = temporaryDirectory();
  const port = await ownPort();
  const accessLog = join(directory, 'access.log');
  const replacements: ReadonlyArray<readonly [string, string]> = [
    ['server edge-1:8080', `server 127.0.0.1:${one.port}`],
    ['server edge-2:8080', `server 127.0.0.1:${two.port}`],
    ['listen 8080', `listen 127.0.0.1:${port}`],
    ['/run/nginx.pid', join(directory, 'nginx.pid')],
    ['/var/log/nginx/error.log', 'stderr'],
    ['/var/log/nginx/access.log', accessLog],
    ['worker_rlimit_nofile 100000', 'worker_rlimit_nofile 2048'],
    ['worker_connections 50000', 'worker_connections 1000'],
    // The folders that a package creates for its own user.
    ['http {', `http {\n${temporaryPaths(directory)}`],
  ];
  const config = join(directory, 'nginx.conf');
  writeFileSync(config, replacements.reduce(replaceOnce, readFileSync(deployFile('nginx/nginx.conf'), 'utf8')));
  const proxy = await startProxy({
    program: provisionNginx(),
    args: ['-e', 'stderr', '-c', config, '-g', 'daemon off;'],
    port,
    readyWhen: async () => (await fetch(`http://127.0.0.1:${port}/ws/online`)).status < 500,
  });
  return { ...proxy, accessLog: () => (existsSync(accessLog) ? readFileSync(accessLog, 'utf8') : '') };
}

function replaceOnce(config: string, [from, to]: readonly [string, string]): string {
  if (config.split(from).length !== 2) throw new Error(`deploy/nginx/nginx.conf does not have "${from}" exactly once.`);
  return config.replace(from, () => to);
}

function temporaryPaths(directory: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(kind => `    ${kind}_temp_path ${join(directory, kind)};\n`)
    .join('');
}
