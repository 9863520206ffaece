/** HAProxy with `deploy/haproxy/haproxy.cfg`: the addresses come from the environment, as the file offers. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import {
  deployFile,
  ownPort,
  provisionProgram,
  type RunningProxy,
  startProxy,
  temporaryDirectory,
  type Upstreams,
} from './proxy.js';

export interface HaproxyServer {
  /** `UP`, `DOWN`, or on the way between, such as `UP 1/2`. */
  readonly status: string;
  readonly connections: number;
  /** It still fills up (`slowstart`). */
  readonly isFilling: boolean;
}

export interface Haproxy extends RunningProxy {
  /** The state of `edge-1` or `edge-2` in HAProxy. */
  server(name: string): Promise<HaproxyServer>;
  metrics(): Promise<string>;
  /** Sends a line to HAProxy's socket for administrators and returns the answer. */
  command(line: string): Promise<string>;
}

export function provisionHaproxy(): string {
  return provisionProgram('haproxy', { apt: 'haproxy', apk: 'haproxy', dnf: 'haproxy' });
}

/**
 * @param clientPort default: a free one
 * @param rules further lines of the front end for clients
 */
export async function startHaproxy([one, two]: Upstreams, clientPort?: number, rules = ''): Promise<Haproxy> {
  const directory = temporaryDirectory();
  const [port, statsPort] = [clientPort ?? (await ownPort()), await ownPort()];
  const socketPath = join(directory, 'admin.sock');
  const statistics = `http://127.0.0.1:${statsPort}`;
  const config = join(directory, 'haproxy.cfg');
  const shipped = readFileSync(deployFile('haproxy/haproxy.cfg'), 'utf8');
  writeFileSync(config, asThisUser(shipped.replace('    option forwardfor\n', line => `${line}    ${rules}\n`)));

  async function server(name: string): Promise<HaproxyServer> {
    const [header = '', ...rows] = (await (await fetch(`${statistics}/stats;csv`)).text()).split('\n');
    const columns = header.replace(/^# /, '').split(',');
    const row = rows.map(line => line.split(',')).find(cells => cells[0] === 'edges' && cells[1] === name);
    const cell = (column: string): string => row?.[columns.indexOf(column)] ?? '';
    return { status: cell('status'), connections: Number(cell('scur')), isFilling: cell('throttle') !== '' };
  }

  const proxy = await startProxy({
    program: provisionHaproxy(),
    args: ['-db', '-f', config],
    port,
    env: {
      LISTEN: `127.0.0.1:${port}`,
      EDGE_1: `127.0.0.1:${one.port}`,
      EDGE_1_ADMIN_PORT: String(one.adminPort),
      EDGE_2: `127.0.0.1:${two.port}`,
      EDGE_2_ADMIN_PORT: String(two.adminPort),
      STATS_LISTEN: `127.0.0.1:${statsPort}`,
      STATS_SOCKET: socketPath,
      MAXCONN: '1000',
    },
    readyWhen: async () => {
      const servers = await Promise.all([server('edge-1'), server('edge-2')]);
      return servers.every(({ status }) => status === 'UP');
    },
  });
  return {
    ...proxy,
    server,
    metrics: async () => await (await fetch(`${statistics}/metrics`)).text(),
    async command(line) {
      const socket = createConnection(socketPath);
      socket.end(`${line}\n`);
      return await readText(socket);
    },
  };
}

/** Only root can become the user `haproxy`. */
function asThisUser(config: string): string {
  return process.getuid?.() === 0 ? config : config.replace(/^ +(user|group) haproxy\n/gm, '');
}
