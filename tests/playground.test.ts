/** The playground of `hubbub start` in a real browser: two people chat, send raw frames, and copy programs that work. */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from '@hubbub/tools/kit';
import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { REQUIREMENTS } from './examples/python-people.js';
import { openBrowser } from './support/browser.js';
import { cleanup } from './support/cleanup.js';
import { startEmbedded, type TestCluster } from './support/cluster.js';
import { startProcess } from './support/process.js';
import { PROVISION_TIMEOUT_MS, provisionPython } from './support/provision.js';
import { startRedis } from './support/redis.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const SCREENSHOTS = new URL('../test-results/', import.meta.url);
const runFile = promisify(execFile);

describe('the playground', () => {
  let browser: Browser;
  let cluster: TestCluster;

  beforeAll(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    [browser, cluster] = await Promise.all([openBrowser(), startEmbedded()]);
  }, PROVISION_TIMEOUT_MS);

  /** A person at a window of their own. */
  async function person(name: string, room: string, hub = cluster): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    await page.goto(`${hub.edge(0).httpUrl}/?room=${room}`);
    await page.getByTestId('name').fill(name);
    await page.getByTestId('sign-in-button').click();
    await page.locator(`[data-testid=room-tab][data-room="${room}"][data-state=joined]`).waitFor();
    return page;
  }

  const panel = (page: Page, room: string) => page.locator(`[data-testid=room-panel][data-room="${room}"]`);
  const open = (page: Page, tool: string) => page.getByTestId(tool).locator('summary').first().click();

  async function say(page: Page, text: string): Promise<void> {
    await page.getByTestId('message-input').fill(text);
    await page.keyboard.press('Enter');
  }

  async function shot(page: Page, name: string): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: new URL(`playground-${name}-${colorScheme}.png`, SCREENSHOTS).pathname });
    }
  }

  test('two pages chat, see who is there and who types, and watch the raw frames', async () => {
    const room = 'chat:42';
    const ada = await person('Ada', room);
    const bob = await person('Bob', room);
    await ada.locator('[data-testid=roster-user]', { hasText: 'Bob' }).waitFor();
    await bob.locator('[data-testid=roster-user]', { hasText: 'Ada' }).waitFor();

    await bob.getByTestId('message-input').pressSequentially('Hel');
    await ada.getByTestId('typists').filter({ hasText: 'Bob' }).waitFor();
    await say(bob, 'Hello <b>Ada</b>');
    const received = panel(ada, room).locator('[data-testid=message][data-delivery=received]');
    await received.filter({ hasText: 'Hello <b>Ada</b>' }).waitFor();
    await panel(bob, room).locator('[data-testid=message][data-delivery=acked]').waitFor();
    await say(ada, 'Hello Bob');
    await panel(bob, room).locator('[data-testid=message][data-delivery=received]', { hasText: 'Hello Bob' }).waitFor();

    await ada.locator('[data-testid=frame][data-direction=in][data-type=new_message]').first().waitFor();
    await ada.locator('[data-testid=frame][data-direction=out][data-type=send_message]').first().waitFor();
    for (const tool of ['token', 'raw', 'snippet']) await open(ada, tool);
    await shot(ada, 'desk');
    await bob.setViewportSize({ width: 390, height: 800 });
    await shot(bob, 'phone');
    await bob.getByTestId('panel-frames').click();
    for (const tool of ['raw', 'snippet']) await open(bob, tool);
    await shot(bob, 'phone-frames');

    await bob.context().close();
    await ada.locator('[data-testid=roster-user]', { hasText: 'Bob' }).waitFor({ state: 'detached', timeout: 20_000 });
  });

  test.each(['json', 'msgpack'])('a raw frame is sent as it is, and its answer is shown (%s)', async encoding => {
    const page = await person('Eve', 'raw');
    await page.getByTestId('encoding').selectOption(encoding);
    await page.locator('[data-testid=connection][data-state=open]').waitFor();
    await open(page, 'raw');
    const send = async (text: string): Promise<void> => {
      await page.getByTestId('raw-input').fill(text);
      await page.keyboard.press('Control+Enter');
    };
    const answer = (type: string, text: string) =>
      page.locator(`[data-testid=raw-answer][data-type=${type}]`, { hasText: text }).waitFor();
    await send('{"type":"online_users","room":"raw"}');
    await answer('online_users', '"eve"');
    await send('{"type":"send_message","room":"elsewhere","payload":{},"id":"mine"}');
    await answer('error', 'NOT_IN_ROOM');
    await page.locator('[data-testid=frame][data-direction=out]', { hasText: '"mine"' }).waitFor();
    await send('{"type":');
    if (encoding === 'json') await answer('error', 'INVALID_FORMAT');
    else await page.getByTestId('notice').filter({ hasText: 'MessagePack needs a JSON object' }).waitFor();
  });

  test('shows what the token permits', async () => {
    const page = await person('Ada Lovelace', 'general');
    await open(page, 'token');
    expect(await page.getByTestId('token-user').textContent()).toBe('ada-lovelace');
    expect(await page.getByTestId('session-id').textContent()).toMatch(/^[\w-]{8}\.[0-9a-z]+$/);
    const rights = page.locator('[data-testid=token-right][data-pattern="*"]');
    expect(await rights.textContent()).toContain('join, publish, event, presence, history');

    const limited = await browser.newPage();
    const rooms = { 'chat:*': ['join', 'history'] };
    await limited.goto(`${cluster.edge(0).httpUrl}/?token=${cluster.token({ user: 'u1', rooms })}`);
    await open(limited, 'token');
    expect(await limited.locator('[data-pattern="chat:*"]').textContent()).toMatch(/join, history$/);
    expect(limited.url()).not.toContain('token=');
  });

  test('the connection is visible, and its loss has a cause and a remedy', async () => {
    const hub = await startEmbedded();
    const page = await person('Ada', 'general', hub);
    expect(await page.getByTestId('connection-state').textContent()).toBe('Online');
    await hub.edge(0).process.kill('SIGKILL');
    await page.locator('[data-testid=connection][data-state=waiting]').waitFor();
    await page
      .getByTestId('connection-countdown')
      .filter({ hasText: /in \d+ s/ })
      .waitFor();
    expect(await page.getByTestId('connection-reason').textContent()).toContain(
      'The connection broke. Close code 1006.',
    );
    await shot(page, 'lost');
    await page.getByTestId('connection-action').filter({ hasText: 'Connect now' }).waitFor();
  });

  test('tabs follow the arrow keys, and Delete leaves a room', async () => {
    const page = await person('Ada', 'one');
    await page.getByTestId('join-room').fill('two');
    await page.keyboard.press('Enter');
    await page.locator('[data-testid=room-tab][data-room=two][aria-selected=true]').waitFor();
    await page.locator('[data-testid=room-tab][data-room=two]').focus();
    const focused = async () => await page.evaluate(() => document.activeElement?.getAttribute('data-room'));
    await page.keyboard.press('ArrowLeft');
    await eventually(async () => (await focused()) === 'one', { describe: 'the tab "one" has the focus' });
    await page.keyboard.press('End');
    await eventually(async () => (await focused()) === 'two', { describe: 'the tab "two" has the focus' });
    await page.keyboard.press('Delete');
    await eventually(async () => (await focused()) === 'one', { describe: 'the next tab has the focus' });
    expect(await page.locator('[data-testid=room-tab][data-room=two]').count()).toBe(0);
    await page.getByTestId('join-room').fill('no room!');
    await page.keyboard.press('Enter');
    expect(await page.getByTestId('join-problem').textContent()).toContain('That is not a room name.');
    await page.keyboard.press('Escape');
    await eventually(async () => (await page.getByTestId('join-problem').textContent()) === '', {
      describe: 'Escape ends the question',
    });
  });

  describe('a copied program does again what the page did', () => {
    let hub: TestCluster;
    let api: string;
    let folder: string;
    let python: string;

    beforeAll(async () => {
      python = provisionPython(REQUIREMENTS);
      const redis = await startRedis();
      const env = { HUBBUB_REDIS_URL: redis.url, HUBBUB_REDIS_PREFIX: redis.prefix };
      hub = await startEmbedded({ env });
      const keys = { HUBBUB_API_KEYS: 'a-key', HUBBUB_API_PORT: '0', HUBBUB_ADMIN_PORT: '0' };
      api = `http://127.0.0.1:${(await startProcess(['api'], { env: { ...env, ...keys } })).port}`;
      // Inside the repository, where the packages are found by name.
      folder = await mkdtemp(`${ROOT}test-results-`);
      cleanup(() => rm(folder, { recursive: true }));
    }, PROVISION_TIMEOUT_MS);

    async function execute(language: string, code: string): Promise<string> {
      await writeFile(`${folder}/again`, code);
      await writeFile(`${folder}/again.mjs`, code);
      const commands: Record<string, [string, string[]]> = {
        curl: ['sh', ['-c', code.replace('http://127.0.0.1:8082', api)]],
        JavaScript: [process.execPath, [`${folder}/again.mjs`]],
        Python: [python, [`${folder}/again`]],
      };
      const [program, args] = commands[language] ?? ['false', []];
      return (await runFile(program, args, { timeout: 60_000 })).stdout;
    }

    test.each(['curl', 'JavaScript', 'Python'])('%s', async language => {
      const room = `again:${language.toLowerCase()}`;
      const ada = await person(`Ada ${language}`, room, hub);
      const bob = await person('Bob', room, hub);
      await say(ada, `It's "me"`);
      const received = panel(bob, room).locator('[data-testid=message][data-delivery=received]', {
        hasText: `It's "me"`,
      });
      await received.first().waitFor();
      await ada.locator('[data-testid=snippet] summary', { hasText: 'send_message' }).click();
      await ada.getByTestId(`snippet-${language}`).click();
      const code = (await ada.getByTestId('snippet-code').textContent()) ?? '';
      const output = await execute(language, code);
      await eventually(async () => (await received.count()) === 2, {
        describe: `it arrives again; printed: ${output}`,
      });
      expect(await received.nth(1).getByTestId('message-sender').textContent()).toBe(`Ada ${language}`);
    });
  });

  test('no page of another origin, and no other name for this machine, gets a token', async () => {
    const { httpUrl } = cluster.edge(0);
    const own = await fetch(`${httpUrl}/playground/token?user=ada`);
    expect(own.status).toBe(200);
    expect(own.headers.get('access-control-allow-origin')).toBeNull();
    const page = await browser.newPage();
    const port = new URL(httpUrl).port;
    // `*.localhost` is this machine by a name that is not on the list, as a rebound name would be.
    const answer = await page.goto(`http://evil.localhost:${port}/playground/token?user=ada`);
    expect(answer?.status()).toBe(403);
  });

  test.each([
    ['', 'no user'],
    ['?user=', 'an empty user'],
    [`?user=${'x'.repeat(129)}`, 'a user of 129 bytes'],
    ['?user=a%0Ab', 'a line break'],
  ])('a token for %j is refused with 400 (%s)', async query => {
    const answer = await fetch(`${cluster.edge(0).httpUrl}/playground/token${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 'INVALID_FORMAT' });
  });

  test('is not there in production', async () => {
    const production = await startEmbedded({ env: { NODE_ENV: 'production' } });
    for (const path of ['/', '/playground/token?user=ada']) {
      expect((await fetch(`${production.edge(0).httpUrl}${path}`)).status).toBe(404);
    }
  });
});
