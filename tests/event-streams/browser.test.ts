/** Pages in Chromium: the SDK where WebSockets are blocked, and the browser's own EventSource, both through the end of an edge. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { eventually, ROOT } from '@hubbub/tools/kit';
import type { Browser, Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.js';
import { cleanup } from '../support/cleanup.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import type { RawClient } from '../support/raw-client.js';
import { startUpgradeProxy } from '../support/upgrade-proxy.js';
import { type Story, say, startStory } from './story.js';

const PAGES: Readonly<Record<string, string>> = {
  '/sdk': `<script type="module">
    import { HubbubClient } from './hubbub-client.js';
    const query = new URLSearchParams(location.search);
    const [url, token] = [query.get('url'), query.get('token')];
    Object.assign(globalThis, { seen: [], gaps: [] });
    globalThis.client = new HubbubClient({ url, token, baseDelayMs: 100 });
    globalThis.room = client.room('kept:a');
    room.on('new_message', ({ payload }) => seen.push(payload.n));
    room.onGap(gap => gaps.push(gap));
    room.join();
    client.connect();
  </script>`,
  '/event-source': `<script>
    const query = new URLSearchParams(location.search);
    const [seen, gaps] = [[], []];
    const source = new EventSource(query.get('url'));
    source.onmessage = ({ data }) => seen.push(JSON.parse(data).payload.n);
    source.addEventListener('room_opened', ({ data }) => {
      const { recovered = true, reason } = JSON.parse(data).payload;
      if (!recovered) gaps.push(reason);
    });
  </script>`,
};

let browser: Browser;
let origin: string;

beforeAll(async () => {
  browser = await openBrowser();
  const script = await readFile(join(ROOT, 'packages/client/dist/browser/hubbub-client.js'));
  const server = createServer(({ url = '' }, response) => {
    const page = PAGES[url.split('?', 1)[0] ?? ''];
    response.setHeader('content-type', page === undefined ? 'text/javascript' : 'text/html').end(page ?? script);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanup(() => server.close());
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}, PROVISION_TIMEOUT_MS);

async function open(path: string, query: Record<string, string>): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${origin}${path}?${new URLSearchParams(query)}`);
  return page;
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, at) => at + 1);
const seenBy = (page: Page): Promise<number[]> => page.evaluate('seen');

/** Two edges for pages of this origin, and a speaker on the second one who stays. */
async function startPages(): Promise<Story & { readonly ada: RawClient }> {
  const story = await startStory({ edges: 2, env: { HUBBUB_ALLOWED_ORIGINS: origin } });
  const ada = await story.speaker('ada', story.cluster.edge(1));
  await ada.join('kept:a');
  return { ...story, ada };
}

test('a page whose WebSockets are blocked reads and sends over events, survives its edge, and returns', async () => {
  const { cluster, ada } = await startPages();
  const [doomed, other] = [cluster.edge(0), cluster.edge(1)];
  const proxy = await startUpgradeProxy({ to: doomed.process.port });
  const url = `ws://127.0.0.1:${proxy.port}/ws`;
  const page = await open('/sdk', { url, token: cluster.token({ user: 'page' }) });
  await page.waitForFunction(`room.state === 'joined' && client.transport === 'events'`);
  await say(ada, 'kept:a', 1);
  await page.waitForFunction('seen.length === 1');
  await page.evaluate(`room.send({ text: 'from the page' })`);
  await ada.nextFrame({ type: 'new_message', sender: { id: 'page' }, payload: { text: 'from the page' } });

  proxy.retarget(other.process.port);
  await doomed.process.kill('SIGKILL');
  for (let n = 2; n <= 10; n++) await say(ada, 'kept:a', n);
  await eventually(async () => (await seenBy(page)).length === 10, { withinMs: 30_000 });
  expect(await page.evaluate('client.transport')).toBe('events');

  proxy.treatUpgrades('pass');
  await page.waitForFunction(`client.transport === 'websocket' && client.state === 'open'`, undefined, {
    timeout: 60_000,
  });
  for (let n = 11; n <= 20; n++) await say(ada, 'kept:a', n);
  await eventually(async () => (await seenBy(page)).length === 20);
  expect(await seenBy(page)).toEqual(upTo(20));
  expect(await page.evaluate('gaps')).toEqual([]);
}, 120_000);

test.each(['SIGKILL', 'SIGTERM'] as const)(
  "the browser's EventSource reads a room through the end of its edge by %s",
  async signal => {
    const { cluster, ada } = await startPages();
    const [doomed, other] = [cluster.edge(0), cluster.edge(1)];
    const proxy = await startUpgradeProxy({ to: doomed.process.port });
    const url = `http://127.0.0.1:${proxy.port}/rooms/kept:a/events?token=${cluster.token({ user: 'page' })}`;
    const page = await open('/event-source', { url });
    await ada.nextFrame({ type: 'user_joined', sender: { id: 'page' } });
    await say(ada, 'kept:a', 1);
    await page.waitForFunction('seen.length === 1');
    proxy.retarget(other.process.port);
    const ended = doomed.process.kill(signal);
    for (let n = 2; n <= 50; n++) await say(ada, 'kept:a', n);
    await ended;
    for (let n = 51; n <= 60; n++) await say(ada, 'kept:a', n);
    await eventually(async () => (await seenBy(page)).length >= 60, { withinMs: 30_000 });
    expect(await seenBy(page)).toEqual(upTo(60));
    expect(await page.evaluate('gaps')).toEqual([]);
  },
  60_000,
);
