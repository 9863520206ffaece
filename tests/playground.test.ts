/** The playground of `hubbub start` in a real browser: two people chat, see each other, and see the connection break. */
import { mkdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openBrowser } from './support/browser.js';
import { startEmbedded, type TestCluster } from './support/cluster.js';
import { PROVISION_TIMEOUT_MS } from './support/provision.js';

const SCREENSHOTS = new URL('../test-results/', import.meta.url);

describe('the playground', () => {
  let browser: Browser;
  let cluster: TestCluster;

  beforeAll(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    [browser, cluster] = await Promise.all([openBrowser(), startEmbedded()]);
  }, PROVISION_TIMEOUT_MS);

  /** A person at a window of their own. */
  async function person(name: string, room: string): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    await page.goto(`${cluster.edge(0).httpUrl}/?room=${room}`);
    await page.getByTestId('name').fill(name);
    await page.getByTestId('sign-in-button').click();
    await page.locator(`[data-testid=room-tab][data-room="${room}"][data-state=joined]`).waitFor();
    return page;
  }

  const panel = (page: Page, room: string) => page.locator(`[data-testid=room-panel][data-room="${room}"]`);

  async function say(page: Page, text: string): Promise<void> {
    await page.getByTestId('message-input').fill(text);
    await page.keyboard.press('Enter');
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
    await ada.screenshot({ path: new URL('playground-light.png', SCREENSHOTS).pathname });
    await ada.emulateMedia({ colorScheme: 'dark' });
    await ada.screenshot({ path: new URL('playground-dark.png', SCREENSHOTS).pathname });
    await bob.setViewportSize({ width: 390, height: 800 });
    await bob.screenshot({ path: new URL('playground-phone.png', SCREENSHOTS).pathname });

    await bob.context().close();
    await ada.locator('[data-testid=roster-user]', { hasText: 'Bob' }).waitFor({ state: 'detached', timeout: 20_000 });
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
