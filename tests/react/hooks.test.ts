/** The hooks of `@hubbub/react` in Chromium under StrictMode, where React mounts each component twice. */

import { eventually } from '@hubbub/tools/kit';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { PROVISION_TIMEOUT_MS } from '../support/provision.js';
import type { RawClient } from '../support/raw-client.js';
import { HookPages, type PageGlobals, sentBy, untilRoom } from './hook-page.js';

let pages: HookPages;

beforeAll(async () => {
  pages = await HookPages.start();
}, PROVISION_TIMEOUT_MS);

const say = (member: RawClient, room: string, content: string) =>
  member.ask({ type: 'send_message', room, payload: { content } });

/** Waits until the list of the page reads like this. */
async function untilItems(page: Page, ...items: readonly string[]): Promise<void> {
  let shown: string[] = [];
  const isShown = async () => {
    shown = await page.locator('li').allInnerTexts();
    if (shown.join('|') !== items.join('|')) throw new Error(`the page shows ${shown.join(', ')}`);
    return true;
  };
  await eventually(isShown, { describe: `the page shows ${items.join(', ')}` });
}

async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message').fill(text);
  await page.getByLabel('Message').press('Enter');
}

const sessionsIn = async (room: string, user: string) => {
  const { users } = await pages.presence.roster(room);
  return users.find(({ id }) => id === user)?.sessions.length ?? 0;
};

test('a page connects once and joins once, and shows who is there', async () => {
  await pages.member('bob', 'chat:strict');
  const page = await pages.visit('ann', 'chat:strict');
  await untilRoom(page, 'chat:strict');
  await page.getByText('bob, ann').waitFor();
  expect(await page.locator('[data-count]').getAttribute('data-count')).toBe('2');
  expect(await page.locator('[data-connection]').textContent()).toBe('ann');
  expect(await page.locator('[data-transport]').getAttribute('data-transport')).toBe('websocket');
  expect(await sessionsIn('chat:strict', 'ann')).toBe(1);
  expect(await sentBy(page)).toEqual(['join_room', 'history']);
  // Nothing else changes: only the roster can render this.
  await pages.member('carol', 'chat:strict');
  await page.getByText('bob, ann, carol').waitFor();
});

test('messages: the history, live ones, own ones, and those that were missed', async () => {
  const bob = await pages.member('bob', 'chat:talk');
  for (const content of ['1', '2', '3', '4', '5', '6']) await say(bob, 'chat:talk', content);
  const page = await pages.visit('ann', 'chat:talk');
  await untilItems(page, ...['2', '3', '4', '5', '6'].map(n => `bob: ${n}`));
  await page.getByRole('button', { name: 'Earlier' }).click();
  const before = ['1', '2', '3', '4', '5', '6'].map(n => `bob: ${n}`);
  await untilItems(page, ...before);
  await write(page, 'hello');
  await bob.nextFrame({ type: 'new_message', sender: { id: 'ann' }, payload: { content: 'hello' } });
  await say(bob, 'chat:talk', 'welcome');
  await untilItems(page, ...before, 'ann: hello', 'bob: welcome');

  pages.network.sever();
  await page.locator('[data-connection="waiting"]').waitFor();
  await write(page, 'from offline');
  await page.locator('[data-delivery="sending"]').waitFor();
  await say(bob, 'chat:talk', 'missed');
  pages.network.restore();
  await untilItems(page, ...before, 'ann: hello', 'bob: welcome', 'bob: missed', 'ann: from offline');
  await page.locator('[data-delivery="sending"]').waitFor({ state: 'detached' });
});

test('messages that the history no longer has leave a gap', async () => {
  const bob = await pages.member('bob', 'chat:gap');
  await say(bob, 'chat:gap', 'first');
  const page = await pages.visit('ann', 'chat:gap');
  await untilItems(page, 'bob: first');
  pages.network.sever();
  await page.locator('[data-connection="waiting"]').waitFor();
  const missed = Array.from({ length: 25 }, (_, n) => String(n));
  for (const content of missed) await say(bob, 'chat:gap', content);
  pages.network.restore();
  // The history keeps 20 messages.
  await untilItems(page, 'bob: first', 'gap: too_old', ...missed.slice(-20).map(n => `bob: ${n}`));
});

test('typing: shown to the others, and stopped by the form', async () => {
  const bob = await pages.member('bob', 'chat:type');
  const ann = await pages.visit('ann', 'chat:type');
  await untilRoom(ann, 'chat:type');
  await ann.getByLabel('Message').pressSequentially('hi');
  await bob.nextFrame({ type: 'user_typing', sender: { id: 'ann' } });
  expect(await ann.locator('[data-typists]').textContent()).toBe('');
  await ann.getByLabel('Message').press('Enter');
  await bob.nextFrame({ type: 'user_stopped_typing', sender: { id: 'ann' } });
});

test('typing: ended by the message of a client that sends no stop', async () => {
  const ann = await pages.member('ann', 'chat:typed');
  const bob = await pages.visit('bob', 'chat:typed');
  await untilRoom(bob, 'chat:typed');
  await ann.ask({ type: 'typing', room: 'chat:typed' });
  await bob.locator('[data-typists]').getByText('ann').waitFor();
  await say(ann, 'chat:typed', 'hi');
  await untilItems(bob, 'ann: hi');
  // Without the message, the hook would believe the typing for six seconds.
  expect(await bob.locator('[data-typists]').textContent()).toBe('');
});

test('another name leaves the room and joins the other one', async () => {
  const page = await pages.visit('ann', 'chat:one');
  await untilRoom(page, 'chat:one');
  await page.getByLabel('Room').fill('chat:two');
  await untilRoom(page, 'chat:two');
  await eventually(async () => (await sessionsIn('chat:one', 'ann')) === 0, { describe: 'ann has left chat:one' });
  expect(await sessionsIn('chat:two', 'ann')).toBe(1);
});

test('a component that is unmounted while it joins is not a member', async () => {
  const bob = await pages.member('bob', 'chat:short');
  const page = await pages.visit('ann');
  await page.locator('[data-connection="open"]').waitFor();
  pages.network.behave({ blackHole: true });
  await page.getByLabel('Room').fill('chat:short');
  await untilRoom(page, 'chat:short', 'joining');
  await page.getByLabel('Room').fill('');
  await page.locator('section').waitFor({ state: 'detached' });
  pages.network.behave({});
  await bob.nextFrame({ type: 'user_joined', payload: { user: { id: 'ann' } } });
  await bob.nextFrame({ type: 'user_left', payload: { user: { id: 'ann' } } });
  expect(await sentBy(page)).toEqual(['join_room', 'leave_room']);
});

test('a room that the user may not join is left, with the reason, and can be tried again', async () => {
  const page = await pages.visit('ann', 'secret:1');
  await page.getByText('FORBIDDEN').waitFor();
  await untilRoom(page, 'secret:1', 'left');
  await page.getByRole('button', { name: 'Join' }).click();
  await eventually(async () => (await sentBy(page)).filter(type => type === 'join_room').length === 2);
});

test('a client that the application closes and connects again is in its rooms again', async () => {
  const page = await pages.visit('ann', 'chat:again');
  await untilRoom(page, 'chat:again');
  await page.evaluate(() => (globalThis as unknown as PageGlobals).client.close());
  await untilRoom(page, 'chat:again', 'left');
  await page.evaluate(() => (globalThis as unknown as PageGlobals).client.connect());
  await untilRoom(page, 'chat:again');
  expect(await sessionsIn('chat:again', 'ann')).toBe(1);
});

test('a tree that is unmounted closes its client', async () => {
  const page = await pages.visit('zoe', 'chat:end');
  await untilRoom(page, 'chat:end');
  await page.evaluate(() => (globalThis as unknown as PageGlobals).unmount());
  await eventually(async () => !(await pages.presence.user('zoe')).online, { describe: 'zoe is offline' });
});
