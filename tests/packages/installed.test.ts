/** Every public package, packed, installed in an empty folder outside the repository, and used in each way of its README. */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { signToken, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import type { Browser } from 'playwright-core';
import { createServer } from 'vite';
import { beforeAll, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.js';
import { cleanup } from '../support/cleanup.js';
import { startEmbedded } from '../support/cluster.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { startRedis } from '../support/redis.js';
import { type Consumer, installConsumer } from './consumer.js';

const SETTINGS = { HUBBUB_PORT: '0', HUBBUB_ADMIN_PORT: '0', HUBBUB_JWT_SECRET: TEST_JWT_SECRET };
let consumer: Consumer;
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
}, PROVISION_TIMEOUT_MS);

beforeAll(async () => {
  // The tests of the hooks run with React 19, which the repository has installed.
  consumer = await installConsumer(['jest@30.5.2', 'react@18.3.1', 'react-dom@18.3.1', '@types/react@18.3.32']);
}, PROVISION_TIMEOUT_MS);

/** `@hubbub/client`, `@hubbub/client/msgpack`, …: every entry that an installed package exports. */
async function listEntries(): Promise<string[]> {
  const scope = join(consumer.folder, 'node_modules/@hubbub');
  const manifests = await Promise.all(
    (await readdir(scope)).map(name => readFile(join(scope, name, 'package.json'), 'utf8')),
  );
  return manifests.flatMap(text => {
    const { name, exports } = JSON.parse(text) as { name: string; exports: object };
    return Object.keys(exports).map(entry => join(name, entry));
  });
}

test('ES modules import every entry, and CommonJS requires it', async () => {
  const entries = await listEntries();
  expect(entries).toEqual(expect.arrayContaining(['@hubbub/client', '@hubbub/server', '@hubbub/cli/embedded']));
  await consumer.write({
    'all.mjs': entries.map(entry => `await import('${entry}');`).join('\n'),
    'all.cjs': entries.map(entry => `require('${entry}');`).join('\n'),
  });
  await consumer.run('node', ['all.mjs']);
  await consumer.run('node', ['--disable-warning=ExperimentalWarning', 'all.cjs']);
});

test('every package contains the license, and names the repository', async () => {
  const scope = join(consumer.folder, 'node_modules/@hubbub');
  const read = (path: string) => readFile(join(import.meta.dirname, '../..', path), 'utf8');
  const license = await read('LICENSE');
  const { url } = JSON.parse(await read('package.json')).repository;
  for (const name of await readdir(scope)) {
    expect(await readFile(join(scope, name, 'LICENSE'), 'utf8')).toBe(license);
    expect(JSON.parse(await readFile(join(scope, name, 'package.json'), 'utf8'))).toMatchObject({
      homepage: expect.stringMatching(/^https:.*#readme$/),
      bugs: expect.stringMatching(/^https:.*\/issues$/),
      repository: { url, directory: expect.stringMatching(/^(apps|packages)\/\w+$/) },
    });
  }
});

test('every source map finds its sources', async () => {
  const scope = join(consumer.folder, 'node_modules/@hubbub');
  const maps = (await readdir(scope, { recursive: true })).filter(path => /^\w+\/dist\/.*\.map$/.test(path));
  expect(maps.length).toBeGreaterThan(100);
  const missing: string[] = [];
  for (const path of maps) {
    const { sources, sourcesContent } = JSON.parse(await readFile(join(scope, path), 'utf8'));
    if (sourcesContent !== undefined) continue;
    const absent = sources.filter((source: string) => !existsSync(join(scope, dirname(path), source)));
    missing.push(...absent.map((source: string) => `${path}: ${source}`));
  }
  expect(missing).toEqual([]);
});

const TYPED = `
import { HubbubClient, HubbubError, type Frame } from '@hubbub/client';
import { msgpackCodec } from '@hubbub/client/msgpack';
import { HubbubProvider, useRoom } from '@hubbub/react';
import { connectHubbub, type Hubbub } from '@hubbub/server';
import { startEmbeddedHub } from '@hubbub/cli/embedded';
export const client: HubbubClient = new HubbubClient({ url: 'ws://127.0.0.1/ws', codec: msgpackCodec });
export const open: (redisUrl: string) => Hubbub = redisUrl => connectHubbub({ redisUrl });
export const port: Promise<number> = startEmbeddedHub({}).then(hub => hub.port);
export const fails = (frame: Frame): boolean => frame instanceof HubbubError;
export const provided = HubbubProvider({ client, children: 'text' });
export const useLobby = (): string => useRoom('lobby').room.name;
// @ts-expect-error: types reach the consumer
new HubbubClient({ url: 1 });
`;

test.for([
  ['node16', 'node16', 'module.mts'],
  ['bundler', 'esnext', 'module.ts'],
  ['nodenext', 'nodenext', 'module.cts'],
] as const)('TypeScript compiles with moduleResolution %s', async ([moduleResolution, module, file]) => {
  const typeRoots = [join(import.meta.dirname, '../../node_modules/@types')];
  const compilerOptions = { strict: true, noEmit: true, target: 'es2022', module, moduleResolution, typeRoots };
  await consumer.write({
    [`types-${moduleResolution}/${file}`]: TYPED,
    [`types-${moduleResolution}/tsconfig.json`]: JSON.stringify({
      compilerOptions: { ...compilerOptions, types: ['node'], skipLibCheck: true },
      files: [file],
    }),
  });
  await consumer.runTool('typescript/bin/tsc', ['-p', `types-${moduleResolution}`]);
});

test('Vite builds a page with the client and without Node', async () => {
  await consumer.write({
    'page/index.html': '<script type="module" src="./main.js"></script>',
    'page/main.js': `import { HubbubClient } from '@hubbub/client';\nnew HubbubClient({ url: '/ws' }).connect();`,
  });
  await consumer.runTool('vite/bin/vite.js', ['build', 'page']);
  const [script = ''] = await readdir(join(consumer.folder, 'page/dist/assets'));
  const code = await readFile(join(consumer.folder, 'page/dist/assets', script), 'utf8');
  expect(code).toContain('{WebSocket:');
  expect(code).not.toMatch(/node:|externalized/);
});

test(
  'the hooks join once with React 18 under StrictMode',
  async () => {
    await consumer.write({
      'hooks/index.html': '<div id="root"></div><script type="module" src="./main.js"></script>',
      'hooks/main.js': `
      import { HubbubClient } from '@hubbub/client';
      import { HubbubProvider, useRoom } from '@hubbub/react';
      import { createElement, StrictMode, version } from 'react';
      import { createRoot } from 'react-dom/client';
      const [url, token] = location.hash.slice(1).split(',');
      const client = new HubbubClient({ url, token });
      const sent = [];
      client.on('frame', ({ direction, frame }) => direction === 'out' && sent.push(frame.type));
      function Lobby() {
        const { state } = useRoom('lobby');
        return createElement('p', null, [version, state, sent.join()].join(' '));
      }
      const tree = createElement(HubbubProvider, { client }, createElement(Lobby));
      createRoot(document.getElementById('root')).render(createElement(StrictMode, null, tree));`,
    });
    const root = join(consumer.folder, 'hooks');
    const server = await createServer({
      root,
      configFile: false,
      logLevel: 'error',
      server: { host: '127.0.0.1', port: 0 },
    });
    cleanup(() => server.close());
    await server.listen();
    const { origin } = new URL(server.resolvedUrls?.local[0] ?? '');
    const hub = await startEmbedded({ env: { HUBBUB_ALLOWED_ORIGINS: origin } });
    const page = await browser.newPage();
    await page.goto(`${origin}/#${hub.edge(0).wsUrl},${signToken({ user: 'u1' })}`);
    await page.getByText('18.3.1 joined join_room').waitFor();
  },
  PROVISION_TIMEOUT_MS,
);

test('Jest runs a test that imports the client', async () => {
  await consumer.write({
    'jest.config.json': '{ "transform": {}, "testMatch": ["**/*.test.mjs"] }',
    'client.test.mjs': `
      import { HubbubClient } from '@hubbub/client';
      test('is idle at first', () => expect(new HubbubClient({ url: 'ws://127.0.0.1/ws' }).state).toBe('idle'));`,
  });
  const output = await consumer.run('npx', ['jest', '--ci'], { NODE_OPTIONS: '--experimental-vm-modules' });
  expect(output).toContain('1 passed');
});

test('the command line reports its version and serves; a client and a CommonJS service meet on it', async () => {
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'));
  expect(await consumer.run('npx', ['hubbub', '--version'])).toBe(`${version}\n`);
  const redis = await startRedis();
  const variables = { ...SETTINGS, HUBBUB_REDIS_URL: redis.url, HUBBUB_REDIS_PREFIX: redis.prefix };
  const hub = await consumer.start('node', ['node_modules/.bin/hubbub', 'start'], variables);
  await hub.untilReady();
  await consumer.write({
    'client.mjs': `
      import { execFileSync } from 'node:child_process';
      import { HubbubClient } from '@hubbub/client';
      const [url, token, ...redis] = process.argv.slice(2);
      const client = new HubbubClient({ url, token });
      const room = client.room('general');
      const received = new Promise(resolve => room.on('build.finished', resolve));
      await client.connect();
      await room.join();
      execFileSync('node', ['service.cjs', ...redis]);
      console.log((await received).payload);
      await client.close();`,
    'service.cjs': `
      const { connectHubbub } = require('@hubbub/server');
      const [redisUrl, redisPrefix] = process.argv.slice(2);
      const hubbub = connectHubbub({ redisUrl, redisPrefix });
      hubbub.publishToRoom('general', { type: 'build.finished', payload: { ok: true } }).then(() => hubbub.close());`,
  });
  const url = `ws://127.0.0.1:${hub.port}/ws`;
  const arguments_ = ['client.mjs', url, signToken({ user: 'u1' }), redis.url, redis.prefix];
  expect(await consumer.run('node', arguments_)).toContain('{ ok: true }');
});

test(
  'doctor names a command that installs a missing engine',
  async () => {
    const engine = async () => {
      const checks = await consumer.run('sh', ['-c', 'npx hubbub doctor --json || true']);
      return JSON.parse(checks).checks.find(({ name }: { name: string }) => name === 'engine');
    };
    await rm(join(consumer.folder, 'node_modules/@uwsjs'), { recursive: true });
    await rm(join(consumer.folder, 'node_modules/uWebSockets.js-compat/node_modules'), {
      recursive: true,
      force: true,
    });
    const { verdict, change } = await engine();
    expect(verdict).toBe('fail');
    const [, command = ''] = /(npm install --no-save \S+)/.exec(change) ?? [];
    await consumer.run('sh', ['-c', command]);
    expect(await engine()).toMatchObject({ verdict: 'ok' });
  },
  PROVISION_TIMEOUT_MS,
);

test('a program with an embedded hub publishes to its client', async () => {
  await consumer.write({
    'embedded.mjs': `
      import { HubbubClient } from '@hubbub/client';
      import { startEmbeddedHub } from '@hubbub/cli/embedded';
      const hub = await startEmbeddedHub({ ...${JSON.stringify(SETTINGS)}, HUBBUB_LOG_LEVEL: 'warn' });
      const client = new HubbubClient({ url: 'ws://127.0.0.1:' + hub.port + '/ws', token: process.argv[2] });
      const room = client.room('general');
      const received = new Promise(resolve => room.on('build.finished', resolve));
      await client.connect();
      await room.join();
      await hub.hubbub.publishToRoom('general', { type: 'build.finished', payload: { ok: true } });
      console.log((await received).payload);
      await client.close();
      await hub.close();`,
  });
  expect(await consumer.run('node', ['embedded.mjs', signToken({ user: 'u1' })])).toContain('{ ok: true }');
});
