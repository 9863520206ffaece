/** `hubbub console` in Chromium, driven by the keyboard alone, on real processes. */
import { mkdirSync } from 'node:fs';
import { API_OPERATIONS } from '@hubbub/protocol';
import { connectHubbub, type Hubbub } from '@hubbub/server';
import { eventually } from '@hubbub/tools/kit';
import type { Browser, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ApiProcess, PRESENCE_KEY, startApi } from '../api/api-process.js';
import { withNamespaces } from '../presence/config-file.js';
import { openBrowser } from '../support/browser.js';
import { cleanup } from '../support/cleanup.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { startProcess, type TestProcess } from '../support/process.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import { connect } from '../support/raw-client.js';

const SCREENSHOTS = new URL('../../test-results/', import.meta.url);
const ADMIN_KEY = 'the-admin-key-of-the-console';
const READ_KEY = 'the-read-only-key-of-the-console';
const NAMESPACES = { chat: { public: true, historySize: 10 }, game: { public: true, events: ['move'] } };

let cluster: TestCluster;
let api: ApiProcess;
let consoleProcess: TestProcess;
let browser: Browser;
let hubbub: Hubbub;

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const keys = [
    { name: 'admin', key: ADMIN_KEY, operations: [...API_OPERATIONS] },
    { name: 'support', key: READ_KEY, operations: ['read', 'explain'] },
  ];
  [browser, cluster] = await Promise.all([
    openBrowser(),
    startCluster({ edges: 2, env: { ...withNamespaces(NAMESPACES), HUBBUB_PRESENCE_API_KEYS: PRESENCE_KEY } }),
  ]);
  api = await startApi(cluster, { keys });
  consoleProcess = await startProcess(['console'], {
    name: 'console',
    env: { HUBBUB_CONSOLE_PORT: '0', HUBBUB_ADMIN_PORT: '0', HUBBUB_CONSOLE_API_URL: api.url },
  });
  hubbub = connectHubbub({ redisUrl: cluster.redis.url, redisPrefix: cluster.redis.prefix });
  cleanup(() => hubbub.close());
}, PROVISION_TIMEOUT_MS);

const url = () => `http://127.0.0.1:${consoleProcess.port}/`;

/** An operator at a window, signed in by keyboard. */
async function operator(key: string, viewport = { width: 1280, height: 900 }): Promise<Page> {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', message => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', error => problems.push(error.message));
  cleanup(async () => {
    await context.close();
    // A session that does not exist yet is answered 401, which the browser logs.
    expect(problems.filter(text => !text.includes('401'))).toEqual([]);
  });
  await page.goto(url());
  await page.getByTestId('key').waitFor();
  await page.keyboard.type(key);
  await page.keyboard.press('Enter');
  await page.getByTestId('key-name').waitFor();
  return page;
}

const focused = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    return { id: element?.getAttribute('data-testid') ?? '', text: element?.textContent ?? '' };
  });

/** Presses Tab until the focus is on the element, as a person without a mouse does. */
async function tabTo(page: Page, testId: string, text = ''): Promise<void> {
  if (testId !== '') await page.getByTestId(testId).filter({ hasText: text }).first().waitFor();
  for (let presses = 0; presses < 80; presses++) {
    const at = await focused(page);
    if (at.id === testId && at.text.includes(text)) return;
    if (testId === '' && text !== '' && at.text === text) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${testId || text}.`);
}

async function press(page: Page, testId: string, text = ''): Promise<void> {
  await tabTo(page, testId, text);
  await page.keyboard.press('Enter');
}

async function enter(user: string, room: string, edge = 0) {
  const client = await connect(cluster.edge(edge).wsUrl, { name: user, token: cluster.token({ user, name: user }) });
  const session = String((await client.nextFrame('welcome')).payload?.session_id);
  await client.join(room);
  return Object.assign(client, { session });
}

async function shots(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const path = new URL(`console-${name}-${colorScheme}.png`, SCREENSHOTS).pathname;
    await page.screenshot({ path, fullPage: true });
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: new URL(`console-${name}-phone.png`, SCREENSHOTS).pathname, fullPage: true });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow, `${name} fits 390 px`).toBeLessThanOrEqual(0);
  await page.setViewportSize({ width: 1280, height: 900 });
}

describe('the console', () => {
  test('shows the edges with their load, and signs out', async () => {
    await enter('ada', 'chat:1');
    const page = await operator(ADMIN_KEY);
    const rows = page.getByTestId('nodes-row');
    await rows.filter({ hasText: 'edge-1' }).filter({ hasText: 'serving' }).waitFor();
    await rows.filter({ hasText: 'edge-2' }).waitFor();
    await shots(page, 'nodes');
    await press(page, 'sign-out');
    await page.getByTestId('key').waitFor();
    await shots(page, 'sign-in');
    await page.reload();
    await page.getByTestId('key').waitFor();
  });

  test('finds a room, follows its messages, and removes a user with a reason', async () => {
    const bob = await enter('bob', 'chat:2');
    const page = await operator(ADMIN_KEY);
    await press(page, 'view-rooms');
    await tabTo(page, 'prefix');
    await page.keyboard.type('chat:2');
    await page.keyboard.press('Enter');
    await page.getByTestId('rooms-row').filter({ hasText: 'chat:2' }).waitFor();
    await shots(page, 'rooms');
    await press(page, '', 'chat:2');
    await page.getByTestId('roster-row').filter({ hasText: 'bob' }).waitFor();
    expect(page.url()).toContain('#/rooms/chat%3A2');
    await press(page, 'tail');
    await page.getByTestId('tail-state').filter({ hasText: 'following' }).waitFor();
    await hubbub.publishToRoom('chat:2', { type: 'note.new', payload: { html: '<b onclick="x">bold</b>' } });
    await page.getByTestId('tail-lines').filter({ hasText: '<b onclick=\\"x\\">bold</b>' }).waitFor();
    await shots(page, 'room');

    await press(page, 'remove-user');
    await page.locator('[data-testid=confirm][open]').waitFor();
    await page.keyboard.press('Escape');
    await page.getByTestId('confirm').waitFor({ state: 'detached' });
    expect((await focused(page)).id, 'the dialog gives the focus back').toBe('remove-user');
    await page.keyboard.press('Enter');
    await tabTo(page, 'reason');
    await page.keyboard.type('off topic');
    await shots(page, 'confirm');
    await page.keyboard.press('Enter');
    await bob.nextFrame({ type: 'room_closed', room: 'chat:2', payload: { removed: true, reason: 'off topic' } });
    await page.getByTestId('confirm').waitFor({ state: 'detached' });
  });

  test('explains a user, disconnects it, and explains the ended session', async () => {
    const cleo = await enter('cleo', 'chat:3', 1);
    const page = await operator(ADMIN_KEY);
    await press(page, 'view-users');
    await tabTo(page, 'open-user-name');
    await page.keyboard.type('cleo');
    await page.keyboard.press('Enter');
    await page.getByTestId('sessions-row').filter({ hasText: cleo.session }).filter({ hasText: 'edge-2' }).waitFor();
    await shots(page, 'user');
    await press(page, 'disconnect-user');
    await press(page, 'confirm-yes');
    expect(await cleo.closed).toMatchObject({ code: 4200 });
    await press(page, 'revoke-tokens');
    await press(page, 'confirm-yes');
    await api.process.output.waitForLog({ key: 'admin', operation: 'revokeTokens', result: 'done' });
    await press(page, 'explain-user');
    const account = page.locator(`[data-testid=session-account][data-session="${cleo.session}"]`);
    await account.getByTestId('closed').filter({ hasText: '4200 KICKED' }).waitFor();
    await account.getByTestId('entry').filter({ hasText: 'joined chat:3' }).waitFor();
    await page.getByTestId('answers-row').filter({ hasText: 'edge-1' }).filter({ hasText: 'answered' }).waitFor();
    await shots(page, 'explain');
  });

  test('shows events that wait and replays a dead letter', async () => {
    const dan = await enter('dan', 'game:1');
    let attempts = 0;
    const consumer = hubbub.onEvents('game', { group: 'referee', maxAttempts: 2 }, async () => {
      attempts++;
      if (attempts <= 2) throw new Error('the database is away');
    });
    await eventually(() => consumer.leading);
    dan.send({ type: 'move', room: 'game:1', id: 'm1', payload: { to: 'e4' } });
    await dan.nextFrame({ type: 'ack', id: 'm1' });
    await eventually(async () => (await hubbub.deadLetters('game', 'referee')).length === 1);

    const page = await operator(ADMIN_KEY);
    await press(page, 'view-events');
    await page.getByTestId('events-row').filter({ hasText: 'referee' }).waitFor();
    await shots(page, 'events');
    await press(page, '', 'Show');
    await page.getByTestId('letters-row').filter({ hasText: 'the database is away' }).waitFor();
    await shots(page, 'letters');
    await press(page, 'replay');
    await press(page, 'confirm-yes');
    await eventually(() => attempts === 3, { describe: 'the group handles the event again' });
    await page.getByText('This group has given no event up.').waitFor();
    const audited = { event: 'api_request', key: 'admin', operation: 'replayDeadLetter', result: 'done' };
    await api.process.output.waitForLog(audited);
  });

  test('closes a room; a key that only reads sees no action', async () => {
    const eve = await enter('eve', 'chat:5');
    const reader = await operator(READ_KEY);
    await reader.goto(`${url()}#/rooms/chat%3A5`);
    await reader.getByTestId('roster-row').filter({ hasText: 'eve' }).waitFor();
    for (const action of ['close-room', 'remove-user']) expect(await reader.getByTestId(action).count()).toBe(0);

    const page = await operator(ADMIN_KEY);
    await page.goto(`${url()}#/rooms/chat%3A5`);
    await press(page, 'close-room');
    await press(page, 'confirm-yes');
    await eve.nextFrame({ type: 'room_closed', room: 'chat:5' });
  });
});

describe('the port', () => {
  const signIn = async (key = ADMIN_KEY, headers: Record<string, string> = {}) =>
    await fetch(`${url()}session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ key }),
    });

  test('the cookie is HttpOnly and SameSite=Strict, holds no key, and every answer has a strict policy', async () => {
    const response = await signIn();
    const cookie = response.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^hubbub_console=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
    expect(await response.text()).not.toContain(ADMIN_KEY);
    for (const path of ['', 'session', 'api/online', 'console.js', 'nowhere']) {
      const { headers } = await fetch(`${url()}${path}`);
      const policy = headers.get('content-security-policy');
      expect(policy, path).toContain("default-src 'none'");
      expect(policy, path).not.toContain('unsafe');
      expect(headers.get('x-content-type-options'), path).toBe('nosniff');
    }
  });

  test.each<[string, { cookie?: boolean; csrf?: boolean }, Record<string, string>, number]>([
    ['without a session', {}, {}, 401],
    ['without a CSRF token', { cookie: true }, {}, 403],
    ['with a wrong CSRF token', { cookie: true }, { 'x-csrf-token': 'x'.repeat(43) }, 403],
    ['of another site', { cookie: true, csrf: true }, { 'sec-fetch-site': 'cross-site' }, 403],
  ])('refuses an action %s', async (_, { cookie, csrf }, more, status) => {
    const fay = await enter('fay', 'chat:6');
    const signedIn = await signIn();
    const { csrf_token } = (await signedIn.json()) as { csrf_token: string };
    const headers = {
      'content-type': 'application/json',
      ...(cookie && { cookie: signedIn.headers.get('set-cookie')?.split(';')[0] ?? '' }),
      ...(csrf && { 'x-csrf-token': csrf_token }),
      ...more,
    };
    const response = await fetch(`${url()}api/rooms/chat%3A6/close`, { method: 'POST', headers, body: '{}' });
    expect(response.status).toBe(status);
    await fay.noFrame('room_closed');
  });

  test('a key that only reads cannot act, whatever its page shows', async () => {
    const signedIn = await signIn(READ_KEY);
    const { csrf_token } = (await signedIn.json()) as { csrf_token: string };
    const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
    const headers = { 'content-type': 'application/json', cookie, 'x-csrf-token': csrf_token };
    const response = await fetch(`${url()}api/rooms/chat%3A6/close`, { method: 'POST', headers, body: '{}' });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ details: { missing_operation: 'control' } });
  });

  test('sends the key to no other server', async () => {
    const signedIn = await signIn();
    const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
    const response = await fetch(`${url()}api//127.0.0.1:1/online`, { headers: { cookie } });
    expect(response.status).toBe(404);
  });

  test('refuses a wrong key, and guesses above a rate', async () => {
    expect((await signIn('no-key-at-all')).status).toBe(401);
    expect((await signIn(ADMIN_KEY, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    const statuses = [];
    for (let n = 0; n < 15; n++) statuses.push((await signIn(`guess-${n}`)).status);
    expect(statuses).toContain(429);
  });
});
