/** The single file of the client, loaded by a page without a bundler. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { startEmbeddedHub } from '@hubbub/cli/embedded';
import { eventually, signToken, TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { beforeAll, test } from 'vitest';
import { openBrowser } from '../support/browser.js';
import { cleanup } from '../support/cleanup.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';

const FILE = join(import.meta.dirname, '../../packages/client/dist/browser/hubbub-client.js');
let browser: Awaited<ReturnType<typeof openBrowser>>;

beforeAll(async () => {
  browser = await openBrowser();
}, PROVISION_TIMEOUT_MS);

test('a script of type module imports it, and joins a room', async () => {
  const script = await readFile(FILE, 'utf8');
  let page = '';
  const server = createServer(({ url }, response) => {
    const isScript = url === '/hubbub-client.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html').end(isScript ? script : page);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanup(() => server.close());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hub = await startEmbeddedHub({
    HUBBUB_PORT: '0',
    HUBBUB_ADMIN_PORT: '0',
    HUBBUB_LOG_LEVEL: 'warn',
    HUBBUB_JWT_SECRET: TEST_JWT_SECRET,
    HUBBUB_ALLOWED_ORIGINS: origin,
  });
  cleanup(() => hub.close());
  const options = { url: `ws://127.0.0.1:${hub.port}/ws`, token: signToken({ user: 'u1' }) };
  page = `<script type="module">
    import { HubbubClient } from './hubbub-client.js';
    const client = new HubbubClient(${JSON.stringify(options)});
    const room = client.room('general');
    await client.connect();
    await room.join();
    document.title = room.state;
  </script>`;
  const tab = await browser.newPage();
  await tab.goto(origin);
  await tab.waitForFunction(() => document.title === 'joined');
  await eventually(async () => (await hub.hubbub.presence.roster('general')).count === 1);
});
