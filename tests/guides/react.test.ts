/** docs/guides/react.md: its files, on Vite's development server and built, in Chromium at a hub. */
import { join } from 'node:path';
import { TEST_JWT_SECRET } from '@hubbub/tools/kit';
import type { Browser, Page } from 'playwright-core';
import { build, createServer } from 'vite';
import { beforeAll, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.js';
import { cleanup } from '../support/cleanup.js';
import { startEmbedded, type TestCluster } from '../support/cluster.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { programsOf } from './programs.js';

let hub: TestCluster;
let browser: Browser;
let folder: string;

beforeAll(async () => {
  browser = await openBrowser();
  const guide = await programsOf('docs/guides/react.md');
  for (const file of ['vite.config.ts', 'index.html', 'hub.yaml', 'main.tsx', 'chat.tsx']) await guide.write(file);
  folder = guide.folder;
  hub = await startEmbedded({ env: { HUBBUB_CONFIG: join(folder, 'hub.yaml') } });
  Object.assign(process.env, { HUB: hub.edge(0).httpUrl, HUBBUB_JWT_SECRET: TEST_JWT_SECRET });
}, PROVISION_TIMEOUT_MS);

async function visit(origin: string, user: string): Promise<Page> {
  const page = await browser.newPage();
  cleanup(() => page.close());
  await page.goto(`${origin}/?user=${user}`);
  return page;
}

test('two pages see each other, the history, who types, and what is written', async () => {
  const server = await createServer({
    root: folder,
    cacheDir: join(folder, 'cache'),
    logLevel: 'error',
    server: { host: '127.0.0.1', port: 0 },
  });
  cleanup(() => server.close());
  await server.listen();
  const { origin } = new URL(server.resolvedUrls?.local[0] ?? '');
  const ann = await visit(origin, 'ann');
  await ann.getByText('1 here: ann').waitFor();
  await ann.getByLabel('Message').fill('hello');
  await ann.getByLabel('Message').press('Enter');
  const bob = await visit(origin, 'bob');
  await bob.getByText('2 here: ann, bob').waitFor();
  await bob.getByText('ann: hello').waitFor();
  await bob.getByLabel('Message').pressSequentially('hi');
  await ann.getByText('bob is typing …').waitFor();
  await bob.getByLabel('Message').press('Enter');
  await ann.getByText('bob: hi').waitFor();
  await bob.getByText('bob: hi').waitFor();
  expect(await ann.locator('li').allTextContents()).toEqual(['ann: hello', 'bob: hi']);
  expect(await ann.getByText('is typing').count()).toBe(0);
});

test('Vite builds the page without parts of Node', async () => {
  const built = await build({ root: folder, logLevel: 'error', build: { write: false } });
  const chunks = 'output' in built ? built.output.filter(file => file.type === 'chunk') : [];
  const modules = chunks.flatMap(({ moduleIds }) => moduleIds);
  expect(modules.some(id => id.endsWith('packages/client/dist/transport-browser.js'))).toBe(true);
  expect(modules.filter(id => /transport-node|browser-external|^node:|msgpack/.test(id))).toEqual([]);
});
