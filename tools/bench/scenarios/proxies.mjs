/** Measures the shipped proxies: memory of idle WebSockets, and processor time of handshakes, with TLS too. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { eventually, findRedis, freePort, ManagedProcess, ROOT, spawnChild, startRedis } from '@hubbub/tools/kit';
import pLimit from 'p-limit';
import { boundTime, ownCommand } from '../../command-line.mjs';
import { describeMachine } from '../../report/machine.mjs';
import { table, whole } from '../../report/tables.mjs';
import { withParts } from '../load/measurement.mjs';
import { plainSessions } from '../load/plain-sessions.mjs';
import { exactCpuSeconds, residentBytes } from '../machine/usage.mjs';
import { startEdge } from '../relays/start.mjs';

const LIMIT_S = 600;
const CALM_MS = 3000;
const TLS_AT_ONCE = 8;
/** The figures are those of the proxy. */
const ADMITS_ALL = { HUBBUB_SHED_OVERLOAD: 'false' };
const KEYS = {
  'ECDSA P-256': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'RSA 2048': ['-newkey', 'rsa:2048'],
};

export const proxies = {
  name: 'proxies',
  description:
    'memory and processor time of HAProxy and nginx with the shipped configurations, for idle WebSockets and for handshakes; no relays are compared',
  full: { sessions: 5000, handshakes: 2000 },
  quick: { sessions: 200, handshakes: 50 },

  /** @param {{ sessions: number, handshakes: number }} settings */
  async run(settings) {
    boundTime(LIMIT_S);
    const rows = await withParts(opened => measure(settings, opened));
    const { name: scenario, description } = proxies;
    const machine = describeMachine({ redis: findRedis().version });
    const result = { scenario, description, command: ownCommand('npm run bench'), settings, machine, rows };
    console.log(`\n${proxies.summarize(result)}\n`);
    return result;
  },

  summarize: ({ rows }) =>
    table(
      ['what', 'bytes for each', 'processor µs for each', 'for each core and second'],
      rows.map(({ what, bytes, micros }) => [
        what,
        bytes === undefined ? '' : whole(bytes),
        whole(micros),
        whole(1e6 / micros),
      ]),
    ),
};

async function measure({ sessions: count, handshakes }, opened) {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-proxies-'));
  await opened({ close: async () => rmSync(folder, { recursive: true, force: true }) });
  const redis = await startRedis();
  await opened({ close: () => redis.dispose() });
  const edge = await opened(startEdge({ redisUrl: redis.url, nodeArgs: [], env: ADMITS_ALL }));
  const rows = [];
  for (const start of [startHaproxy, startNginx]) {
    const proxy = await start({ edge, folder });
    await opened(proxy);
    const sessions = await opened(plainSessions(count, { joins: false }));
    const [before, secondsBefore] = [proxy.bytes(), proxy.seconds()];
    await sessions.open([proxy.port]);
    const seconds = proxy.seconds() - secondsBefore;
    await sleep(CALM_MS);
    const what = `${proxy.version}: a WebSocket`;
    rows.push({ what, bytes: (proxy.bytes() - before) / count, micros: (seconds / count) * 1e6 });
    await sessions.close();
    await proxy.close();
  }
  for (const [key, options] of Object.entries(KEYS)) {
    const proxy = await opened(await startHaproxy({ edge, folder, certificate: certificateOf(folder, options) }));
    await shakeHands(proxy.port, TLS_AT_ONCE);
    const before = proxy.seconds();
    await shakeHands(proxy.port, handshakes);
    const micros = ((proxy.seconds() - before) / handshakes) * 1e6;
    rows.push({ what: `${proxy.version}: a TLS 1.3 handshake, ${key}`, micros });
    await proxy.close();
  }
  return rows;
}

/** The shipped file, whose addresses are in the environment. */
async function startHaproxy({ edge, folder, certificate }) {
  const [port, statsPort] = [await freePort(), await freePort()];
  const config = join(folder, 'haproxy.cfg');
  const shipped = readFileSync(join(ROOT, 'deploy/haproxy/haproxy.cfg'), 'utf8').replace(
    /^ +(user|group) haproxy\n/gm,
    '',
  );
  const listen = `bind 127.0.0.1:${port}${certificate === undefined ? '' : ` ssl crt ${certificate} alpn http/1.1`}`;
  writeFileSync(config, shipped.replace('bind "${LISTEN}"', listen));
  const admin = new URL(edge.adminUrl).port;
  const address = `127.0.0.1:${edge.port}`;
  const env = {
    PATH: process.env.PATH,
    ...{ EDGE_1: address, EDGE_1_ADMIN_PORT: admin, EDGE_2: address, EDGE_2_ADMIN_PORT: admin },
    ...{ STATS_LISTEN: `127.0.0.1:${statsPort}`, STATS_SOCKET: join(folder, 'admin.sock'), MAXCONN: '9000' },
  };
  const version = `HAProxy ${versionOf('haproxy')}`;
  return await startProxy(['haproxy', '-db', '-f', config], { env, port: statsPort, clientPort: port, version });
}

/** The shipped file with other addresses and paths. */
async function startNginx({ edge, folder }) {
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    kind => `${kind}_temp_path ${folder}/${kind};`,
  );
  const shipped = readFileSync(join(ROOT, 'deploy/nginx/nginx.conf'), 'utf8');
  const here = shipped
    .replace(/server edge-\d:8080/g, `server 127.0.0.1:${edge.port}`)
    .replace('listen 8080', `listen 127.0.0.1:${port}`)
    .replace('/run/nginx.pid', join(folder, 'nginx.pid'))
    .replace('/var/log/nginx/error.log', 'stderr')
    .replace('/var/log/nginx/access.log', join(folder, 'access.log'))
    .replace('worker_rlimit_nofile 100000', 'worker_rlimit_nofile 20000')
    .replace('worker_connections 50000', 'worker_connections 20000')
    .replace('http {', `http {\n${paths.join('\n')}`);
  writeFileSync(config, here);
  const command = ['nginx', '-e', 'stderr', '-c', config, '-g', 'daemon off;'];
  return await startProxy(command, { port, clientPort: port, version: `nginx ${versionOf('nginx')}` });
}

function versionOf(program) {
  const { stdout, stderr } = spawnSync(program, ['-v'], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0];
}

async function startProxy(command, { env, port, clientPort, version }) {
  const proxy = new ManagedProcess(version, spawnChild(command, { name: version, env }));
  await proxy.orExit(eventually(async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).status < 500));
  await sleep(CALM_MS);
  const pids = () => [proxy.pid, ...childrenOf(proxy.pid)];
  return {
    port: clientPort,
    version,
    bytes: () => pids().reduce((sum, pid) => sum + residentBytes(pid), 0),
    seconds: () => exactCpuSeconds(pids()),
    close: () => proxy.kill('SIGINT'),
  };
}

function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap(task =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}

/** The path of a file with a new key and its certificate, as HAProxy reads them. */
function certificateOf(folder, options) {
  const [key, certificate, both] = ['key.pem', 'certificate.pem', 'both.pem'].map(name => join(folder, name));
  const subject = ['-nodes', '-subj', '/CN=localhost', '-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', ...options, ...subject], { stdio: 'ignore' });
  writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'));
  return both;
}

/** Full handshakes without the resumption of a session, a few at a time. */
async function shakeHands(port, count) {
  const one = () =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        socket.off('error', reject);
        socket.on('error', () => {}); // It ends now.
        socket.destroy();
        resolve();
      });
    });
  await pLimit(TLS_AT_ONCE).map(Array(count).keys(), one);
}
