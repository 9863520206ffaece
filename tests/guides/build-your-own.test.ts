/** The guide "Build your own in 15 minutes", followed step by step: its files are written as it has them, and run. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.js';
import { adopt } from '../support/children.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster } from '../support/cluster.js';
import { eventually } from '../support/eventually.js';
import { ProcessOutput } from '../support/process-output.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { startRedis } from '../support/redis.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SECRET = 'a-secret-of-my-poll-with-at-least-32-bytes';

let guide: string;
let browser: Browser;
let folder: string;

beforeAll(async () => {
  guide = await readFile(`${ROOT}docs/guides/build-your-own.md`, 'utf8');
  browser = await openBrowser();
}, PROVISION_TIMEOUT_MS);

beforeEach(async () => {
  // Inside the repository, as in the guide: the packages are found by name there.
  folder = await mkdtemp(`${ROOT}test-results-`);
  cleanup(() => rm(folder, { recursive: true }));
  for (const file of ['hub.yaml', 'poll.mjs', 'page.html']) await writeFile(`${folder}/${file}`, blocks(file)[0] ?? '');
});

/** The code blocks that name the file in their first line, in their order. */
function blocks(file: string): string[] {
  const found = [...guide.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)]
    .map(([, code]) => code ?? '')
    .filter(code => code.split('\n', 1)[0]?.includes(` ${file}`));
  if (found.length === 0) throw new Error(`the guide has no ${file}`);
  return found;
}

/** Runs poll.mjs on a free port, and returns its address. */
async function startPoll(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const child = spawn(process.execPath, [`${folder}/poll.mjs`, '0'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  adopt(child);
  cleanup(() => child.kill());
  const output = new ProcessOutput();
  output.read(child.stdout);
  output.read(child.stderr);
  const line = await eventually(() => output.lines.find(text => text.startsWith('poll on ')), {
    describe: `the poll says where it is; said: ${output.tail()}`,
  });
  return line.slice('poll on '.length);
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
  await writeFile(`${folder}/hub.mjs`, blocks('hub.mjs')[0] ?? '');
  await voteTogether(await startPoll());
});

test('step 5: on Redis, with two edges and the service twice', async () => {
  const [, onRedis] = blocks('hub.mjs');
  await writeFile(`${folder}/hub.mjs`, onRedis ?? '');
  const redis = await startRedis({ own: true });
  const env = { HUBBUB_JWT_SECRET: SECRET, HUBBUB_CONFIG: `${folder}/hub.yaml`, HUBBUB_REDIS_PREFIX: 'hubbub' };
  const cluster = await startCluster({ redis, edges: 2, env });
  const edges = [0, 1].map(i => cluster.edge(i).wsUrl).join(',');
  const [first, second] = await Promise.all([1, 2].map(() => startPoll({ HUBBUB_REDIS_URL: redis.url, EDGES: edges })));
  expect(first).not.toBe(second);
  await voteTogether(first ?? '');
});

test('the guide calls commands that there are', () => {
  for (const command of guide.matchAll(/npx hubbub (\w+)/g)) expect(['presence', 'edge']).toContain(command[1]);
});
