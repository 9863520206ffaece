/** The parts of docker-compose.yml, run as processes: the example's page, HAProxy, two edges, presence and Redis. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@hubbub/tools/kit';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster } from '../support/cluster.js';
import { startProcess } from '../support/process.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { startRedis } from '../support/redis.js';
import { environmentOf, secrets } from './support/compose.js';
import { provisionHaproxy, startHaproxy } from './support/haproxy.js';
import { ownPort } from './support/proxy.js';
import { sessionsOn, upstreamsOf } from './support/rolling.js';
import { writeTestUsers } from './support/secrets.js';

beforeAll(() => void provisionHaproxy(), PROVISION_TIMEOUT_MS);

const ROOM = 'chat:general';

/** The environment of a service in the file, with addresses of this machine instead of those of Compose, in the secrets too. */
function here(name: string, addresses: Readonly<Record<string, string>>): Record<string, string> {
  const replace = (value: string) =>
    Object.entries(addresses).reduce((text, [from, to]) => text.replaceAll(from, to), value);
  const entries = Object.entries(environmentOf(name)).map(([variable, value]) => {
    const isSecret = variable.endsWith('_FILE');
    return [variable.replace(/_FILE$/, ''), replace(isSecret ? readFileSync(value, 'utf8') : value)];
  });
  return { NODE_ENV: 'production', HUBBUB_REDIS_PREFIX: 'hubbub', ...Object.fromEntries(entries) };
}

async function enter(page: Page, url: string, name: string): Promise<void> {
  await page.goto(`${url}/#${ROOM}`);
  await page.fill('#name', name);
  await page.press('#name', 'Enter');
  await page.waitForSelector('[data-connection=open]');
  await page.waitForSelector(`[data-room="${ROOM}"][aria-current]`);
}

test('two people open the page, and chat through HAProxy on two edges', async () => {
  const redis = await startRedis({ args: ['--aclfile', writeTestUsers(secrets)] });
  const url = `http://127.0.0.1:${await ownPort()}`;
  const hub = { 'redis:6379': `127.0.0.1:${redis.port}`, 'http://127.0.0.1:8000': url };
  const cluster = await startCluster({ edges: 0, presence: 0, redis });
  await cluster.addPresence({ env: here('presence', hub) });
  for (const name of ['edge-1', 'edge-2']) await cluster.addEdge({ env: here(name, hub) });
  const proxy = await startHaproxy(upstreamsOf(cluster));
  const TMPDIR = mkdtempSync(join(tmpdir(), 'hubbub-compose-'));
  cleanup(() => rmSync(TMPDIR, { recursive: true, force: true }));
  await startProcess(['chat'], {
    name: 'service chat',
    script: 'examples/dist/service/main.js',
    env: {
      ...here('chat', {
        ...hub,
        'ws://127.0.0.1:8080': `ws://127.0.0.1:${proxy.port}`,
        'http://presence:8081': cluster.presence[0]?.adminUrl ?? '',
      }),
      EXAMPLE_PORT: new URL(url).port,
      TMPDIR,
    },
    readyWhen: async () => {}, // It has no other sign than that it listens.
  });

  const browser = await openBrowser();
  const [ada, bob] = await Promise.all([browser.newPage(), browser.newPage()]);
  await enter(ada, url, 'Ada');
  await enter(bob, url, 'Bob');
  expect(await Promise.all(cluster.edges.map(sessionsOn))).toEqual([1, 1]);
  await ada.fill('#text', 'Good morning');
  await ada.press('#text', 'Enter');
  await bob.waitForSelector('.message .text:text-is("Good morning")');
  await eventually(async () => (await ada.locator('#online').textContent()) === '2 online');
}, 120_000);
