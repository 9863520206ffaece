/** A page in development learns why its first handshake failed. A real browser, and an edge in development. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.js';
import { cleanup } from '../support/cleanup.js';
import { startEmbedded, type TestCluster } from '../support/cluster.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';

let cluster: TestCluster;
let page: Page;

async function serve(answer: (path: string) => string | undefined): Promise<string> {
  const server = createServer(({ url = '' }, response) => {
    const body = answer(url);
    response.writeHead(body === undefined ? 500 : 200, { 'content-type': 'text/html' }).end(body);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanup(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  const contents = `import { HubbubClient } from '@hubbub/client';
    import { explainingTransport } from '@hubbub/client/development';
    globalThis.firstError = (url, token, explained) => new Promise(resolve => {
      const client = new HubbubClient({ url, token, ...(explained && { openTransport: explainingTransport }) });
      client.on('state', ({ state, error }) => {
        if (!error && state !== 'open') return;
        resolve([client.state, error?.code, error?.message]);
        client.close();
      });
      client.connect();
    });`;
  const stdin = { contents, resolveDir: import.meta.dirname };
  const { outputFiles } = await build({ stdin, bundle: true, format: 'esm', platform: 'browser', write: false });
  const html = `<script type="module">${outputFiles[0]?.text}</script>`;
  const [browser, embedded, host] = await Promise.all([openBrowser(), startEmbedded(), serve(() => html)]);
  cluster = embedded;
  page = await browser.newPage();
  await page.goto(`http://${host}/`);
  await page.waitForFunction(() => 'firstError' in globalThis);
}, PROVISION_TIMEOUT_MS);

/** The state, the code and the message of the first failure. */
const firstError = (url: string, { explained = true } = {}): Promise<unknown[]> =>
  page.evaluate(
    args => (globalThis as unknown as { firstError(...args: unknown[]): Promise<unknown[]> }).firstError(...args),
    [url, cluster.token({ user: 'ada' }), explained],
  );

test('a wrong path is named, with the right ones, and ends the client', async () => {
  const url = cluster.edge(0).wsUrl.replace('/ws', '/wss');
  expect(await firstError(url)).toEqual(['closed', 'NOT_FOUND', expect.stringContaining('/rooms/{room_id}/ws')]);
});

test('an address where nothing answers is named', async () => {
  const url = 'ws://127.0.0.1:1/ws';
  expect(await firstError(url)).toEqual([
    'waiting',
    'UNAVAILABLE',
    expect.stringContaining('nothing answers at http://127.0.0.1:1/ws'),
  ]);
});

test('a server that is not an edge is named', async () => {
  const url = `ws://${await serve(() => undefined)}/ws`;
  expect(await firstError(url)).toEqual(['waiting', 'UNAVAILABLE', expect.stringContaining('but not as an edge')]);
});

test('in production the error names what to check', async () => {
  expect(await firstError('ws://127.0.0.1:1/ws', { explained: false })).toEqual([
    'waiting',
    'UNAVAILABLE',
    'The edge closed with 1006. Check URL, origin and token.',
  ]);
});

test('a connection that opens reports no error', async () => {
  expect(await firstError(cluster.edge(0).wsUrl)).toEqual(['open', undefined, undefined]);
});
