/** docs/getting-started.md: its file, its service and its commands, on real processes. The client is README's. */
import { execSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { eventually } from '@hubbub/tools/kit';
import { beforeAll, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { startCluster, startEmbedded, type TestCluster } from '../support/cluster.js';
import { runHubbub } from '../support/process.js';
import { connect } from '../support/raw-client.js';
import { type Programs, programsOf } from './programs.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

let guide: string;
let configFile: string;
let programs: Programs;
let readme: Programs;

beforeAll(async () => {
  guide = await readFile(`${ROOT}docs/getting-started.md`, 'utf8');
  programs = await programsOf('docs/getting-started.md');
  readme = await programsOf('README.md');
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

test('in a cluster, two clients at two edges share a room', async () => {
  const cluster = await startCluster({ edges: 2, env: { HUBBUB_CONFIG: configFile } });
  await remembers(cluster, 0, 1);
});

test('the client of the README receives its service, its redis-cli and its command line', async () => {
  const cluster = await startCluster({
    edges: 1,
    env: { HUBBUB_CONFIG: configFile, HUBBUB_PRESENCE_API_KEYS: 'a-key' },
  });
  const { url, prefix } = cluster.redis;
  const client = await readme.run('client.mjs', [cluster.token({ user: 'u1', name: 'One' }), cluster.edge(0).wsUrl]);
  await client.says('joined, and said hello');
  const finished = () => client.lines.filter(line => line === 'build finished { ok: true }').length;
  const untilFinished = (count: number) => eventually(() => finished() === count, { describe: `${count} builds` });

  await (await programs.run('service.mjs', [url, prefix])).ends();
  await client.says("for me { text: 'Your build is done' }");
  await untilFinished(1);

  const [, channel = '', message = ''] = /redis-cli PUBLISH '([^']+)' '([^']+)'/.exec(guide) ?? [];
  await cluster.redis.cli('PUBLISH', channel.replace(/^hubbub/, prefix), message);
  await untilFinished(2);

  const env = {
    HUBBUB_REDIS_URL: url,
    HUBBUB_REDIS_PREFIX: prefix,
    HUBBUB_PRESENCE_API_KEYS: 'a-key',
    HUBBUB_PRESENCE_URL: cluster.presence[0]?.adminUrl ?? '',
  };
  const run = async (name: string) => {
    const [, words = ''] = new RegExp(`npx hubbub (${name} [^#;\n]+)`).exec(guide) ?? [];
    const { code, stdout } = await runHubbub(words.trim().replaceAll("'", '').split(' '), env);
    expect(code).toBe(0);
    return stdout;
  };
  await run('publish');
  await untilFinished(3);
  expect(await run('rooms')).toContain('general');
  expect(await run('who')).toContain('One');
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
  expect(new Set(commands)).toEqual(
    new Set(['token', 'config', 'presence', 'edge', 'doctor', 'explain', 'publish', 'tail', 'rooms', 'who']),
  );
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
