/** Rooms of the chat's stories, and people in them, with a page or without. */
import { connectHubbub } from '@hubbub/server';
import type { Page } from 'playwright-core';
import type { RawClient } from '../support/raw-client.js';
import type { RunningExample } from './support.js';

export async function addRoom(example: RunningExample, name: string): Promise<string> {
  const { body } = await example.ask('POST', '/api/rooms', { name });
  return (body as { room: { id: string } }).room.id;
}

/** Signs in and opens a session of bare frames, which messages for all reach. */
export async function session(example: RunningExample, name: string, edge: 0 | 1): Promise<RawClient> {
  const { body } = await example.ask('POST', '/api/sign-in', { name });
  const { token } = body as { token: string };
  const client = await example.connect('/ws', { name, edge, token, tokenIn: 'query' });
  await client.ping(); // The edge answers after `welcome`: until then, messages do not reach the session.
  return client;
}

/** Opens a page in the room, signed in. */
export async function enter(example: RunningExample, name: string, edge: 0 | 1, room: string): Promise<Page> {
  const page = await example.openPage(`/#${room}`, { edge });
  await signIn(page, name, room);
  return page;
}

export async function signIn(page: Page, name: string, room: string): Promise<void> {
  await fillName(page, name);
  await inRoom(page, room);
}

export async function fillName(page: Page, name: string): Promise<void> {
  await page.fill('#name', name);
  await page.press('#name', 'Enter');
}

export async function inRoom(page: Page, room: string): Promise<void> {
  await page.waitForSelector('[data-connection=open]');
  // Attached is enough: on a phone, the lists of rooms and people are hidden behind the conversation.
  await page.waitForSelector(`[data-room="${room}"][aria-current]`, { state: 'attached' });
  await page.waitForSelector('#roster li', { state: 'attached' });
}

export async function say(page: Page, text: string): Promise<void> {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

export async function texts(page: Page): Promise<string[]> {
  return await page.locator('.message .text').allTextContents();
}

/** Publishes messages as a service does: faster than a client may. */
export async function publish(example: RunningExample, room: string, count: number, from = 1): Promise<void> {
  const hubbub = connectHubbub({ redisUrl: example.redis.url, redisPrefix: example.redis.prefix });
  for (let n = from; n < from + count; n++) {
    const payload = { content: `number ${n}` };
    await hubbub.publishToRoom(room, { type: 'new_message', id: `n${n}`, payload, sender: { id: 'log', name: 'Log' } });
  }
  await hubbub.close();
}
