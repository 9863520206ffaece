/** The guide "Build your own in 15 minutes", followed step by step: its files are written as it has them, and run. */

import { eventually } from '@hubbub/tools/kit';
import type { Browser, Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster } from '../support/cluster.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { startRedis } from '../support/redis.js';
import { type Programs, programsOf } from './programs.js';

const SECRET = 'a-secret-of-my-poll-with-at-least-32-bytes';

let guide: Programs;
let browser: Browser;

beforeAll(async () => {
  guide = await programsOf('docs/guides/build-your-own.md');
  for (const file of ['hub.yaml', 'page.html']) await guide.write(file);
  browser = await openBrowser();
}, PROVISION_TIMEOUT_MS);

/** Runs poll.mjs on a free port, and returns its address. */
async function startPoll(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const poll = await guide.run('poll.mjs', ['0'], { env });
  return (await poll.says(/^poll on /)).slice('poll on '.length);
}

async function visit(url: string): Promise<Page> {
  const page = await browser.newPage();
  cleanup(() => page.close());
  await page.goto(url);
  await page.getByText(/\d here/).waitFor();
  return page;
}

const optionsOf = (page: Page) => page.locator('button').allInnerTexts();

async function voteTogether(url: string): Promise<void> {
  const [one, two] = [await visit(url), await visit(url)];
  await one.getByRole('button', { name: 'Tea' }).click();
  await two.getByRole('button', { name: 'Tea' }).click();
  await one.getByRole('button', { name: 'Water' }).click();
  for (const page of [one, two]) {
    await eventually(async () => (await optionsOf(page)).join() === 'Tea: 1,Coffee: 0,Water: 1', {
      describe: 'both pages show the votes of both, and who changed their mind counts once',
    });
  }
  const late = await visit(url);
  await eventually(async () => (await optionsOf(late)).join() === 'Tea: 1,Coffee: 0,Water: 1', {
    describe: 'who comes later sees the last result',
  });
}

test('steps 1 to 4: in one process, without Redis', async () => {
  await guide.write('hub.mjs');
  await voteTogether(await startPoll());
});

test('step 5: on Redis, with two edges and the service twice', async () => {
  await guide.write('hub.mjs', 1);
  const redis = await startRedis({ own: true });
  const env = { HUBBUB_JWT_SECRET: SECRET, HUBBUB_CONFIG: `${guide.folder}/hub.yaml`, HUBBUB_REDIS_PREFIX: 'hubbub' };
  const cluster = await startCluster({ redis, edges: 2, env });
  const edges = [0, 1].map(i => cluster.edge(i).wsUrl).join(',');
  const [first, second] = await Promise.all([1, 2].map(() => startPoll({ HUBBUB_REDIS_URL: redis.url, EDGES: edges })));
  expect(first).not.toBe(second);
  await voteTogether(first ?? '');
});
