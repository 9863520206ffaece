/** docs/getting-started.md: its file starts, its commands exist and work as described. The client is README's. */
import { execSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startCluster, startEmbedded, type TestCluster } from '../support/cluster.js';
import { runHubbub } from '../support/process.js';
import { connect } from '../support/raw-client.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

let guide: string;
let configFile: string;

beforeAll(async () => {
  guide = await readFile(`${ROOT}docs/getting-started.md`, 'utf8');
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(guide) ?? [];
  const folder = await mkdtemp(`${ROOT}test-results-`);
  cleanup(() => rm(folder, { recursive: true }));
  configFile = `${folder}/hubbub.yaml`;
  await writeFile(configFile, yaml);
});

test('its file passes the check that it names', async () => {
  expect(guide).toContain('HUBBUB_CONFIG=hubbub.yaml npx hubbub config check');
  const { code } = await runHubbub(['config', 'check'], { HUBBUB_CONFIG: configFile });
  expect(code).toBe(0);
});

test('in one process with that file, a room of chat remembers and default rooms are open', async () => {
  const hub = await startEmbedded({ env: { HUBBUB_CONFIG: configFile } });
  await remembers(hub, 0, 0);
});

test('in a cluster two clients at two edges are in one room, and redis-cli speaks to them', async () => {
  const cluster = await startCluster({ edges: 2, env: { HUBBUB_CONFIG: configFile } });
  await remembers(cluster, 0, 1);
  const [, channel = '', message = ''] = /redis-cli PUBLISH '([^']+)' '([^']+)'/.exec(guide) ?? [];
  const one = await connect(cluster.edge(0).wsUrl, { name: 'one', token: cluster.token({ user: 'one' }) });
  await one.join('general');
  await cluster.redis.cli('PUBLISH', channel.replace(/^hubbub/, cluster.redis.prefix), message);
  await one.nextFrame({ type: 'build.finished', payload: { ok: true } });
});

async function remembers(hub: TestCluster, from: number, to: number): Promise<void> {
  const one = await connect(hub.edge(from).wsUrl, { name: 'one', token: hub.token({ user: 'one' }) });
  const two = await connect(hub.edge(to).wsUrl, { name: 'two', token: hub.token({ user: 'two' }) });
  await one.join('chat:42');
  await one.ask({ type: 'send_message', room: 'chat:42', payload: { content: 'before' } });
  await two.join('chat:42');
  const { payload } = await two.ask({ type: 'history', room: 'chat:42', payload: {} });
  expect(payload).toMatchObject({ messages: [{ payload: { content: 'before' } }] });
  await two.join('general');
}

test('names the commands of a cluster, and its secret is accepted in production', async () => {
  const commands = [...guide.matchAll(/npx hubbub (\w+)/g)].map(([, name = '']) => name);
  expect(new Set(commands)).toEqual(new Set(['token', 'config', 'presence', 'edge']));
  const [, command = ''] = /HUBBUB_JWT_SECRET=\$\((.+)\)/.exec(guide) ?? [];
  // Good enough for production, and the same for edges and tokens.
  const secret = execSync(command, { encoding: 'utf8' }).trim();
  const { code } = await runHubbub(['config', 'check'], {
    NODE_ENV: 'production',
    HUBBUB_JWT_SECRET: secret,
    HUBBUB_CONFIG: configFile,
  });
  expect(code).toBe(0);
});
