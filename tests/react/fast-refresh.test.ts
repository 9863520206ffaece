/** Fast refresh: a component is edited while its page is open, and neither its state nor its membership changes. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@hubbub/tools/kit';
import type { Page } from 'playwright-core';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import type { RawClient } from '../support/raw-client.js';
import { HookPages, sentBy, untilRoom } from './hook-page.js';

let pages: HookPages;
let page: Page;
let bob: RawClient;

beforeAll(async () => {
  pages = await HookPages.start();
}, PROVISION_TIMEOUT_MS);

/** Replaces a text in a file of the page, until the test ends. */
async function edit(file: string, from: string, to: string): Promise<void> {
  const path = join(pages.folder, file);
  const source = await readFile(path, 'utf8');
  if (!source.includes(from)) throw new Error(`${file} does not contain ${from}`);
  await writeFile(path, source.replace(from, to));
  cleanup(() => writeFile(path, source));
}

/** A page in the room, with a message in its list and a draft. */
beforeEach(async ({ task }) => {
  const room = `chat:${task.id}`;
  bob = await pages.member('bob', room);
  page = await pages.visit('ann', room);
  await untilRoom(page, room);
  await bob.ask({ type: 'send_message', room, payload: { content: 'before' } });
  await page.getByText('bob: before').waitFor();
  await page.getByLabel('Message').fill('a draft');
  // A reload would remove it.
  await page.evaluate(() => Object.assign(globalThis, { isSamePage: true }));
});

/** One connection and one join since the page was loaded; each list of messages reads the history once. */
async function expectSameMembership({ lists = 1 } = {}): Promise<void> {
  expect(await page.evaluate(() => 'isSamePage' in globalThis)).toBe(true);
  const sent = (await sentBy(page)).filter(type => !/typing/.test(type));
  expect(sent).toEqual(['join_room', ...Array.from({ length: lists }, () => 'history')]);
  expect((await pages.presence.user('ann')).sessions).toHaveLength(1);
  await bob.noFrame('user_left');
}

test('an edited component keeps its draft, its messages and its membership', async () => {
  await edit('chat.tsx', '<h1>Chat</h1>', '<h1>Talk</h1>');
  await page.getByRole('heading', { name: 'Talk' }).waitFor();
  expect(await page.getByLabel('Message').inputValue()).toBe('a draft');
  expect(await page.locator('li').allTextContents()).toEqual(['bob: before']);
  await expectSameMembership();
});

test('an edited component above keeps the state below it and the connection', async () => {
  await edit('app.tsx', 'Room <input', 'Name of the room <input');
  await page.getByText('Name of the room').waitFor();
  expect(await page.getByLabel('Message').inputValue()).toBe('a draft');
  await expectSameMembership();
});

test('a component with one hook more is mounted again by React, and stays a member', async () => {
  await edit('chat.tsx', '<h1>Chat</h1>', '<h1>Talk {useState(2)[0]}</h1>');
  await page.getByRole('heading', { name: 'Talk 2' }).waitFor();
  await page.getByText('bob: before').waitFor();
  await expectSameMembership({ lists: 2 });
});

test('a provider that is mounted again keeps the connection and the rooms', async () => {
  await edit('app.tsx', 'client={client}', 'client={useState(client)[0]}');
  // React keeps no state of this tree: an empty draft shows that it is mounted again.
  await eventually(async () => (await page.getByLabel('Message').inputValue()) === '');
  await page.getByText('bob: before').waitFor();
  await expectSameMembership({ lists: 2 });
});
