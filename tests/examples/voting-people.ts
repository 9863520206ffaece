/** The people of the voting room's stories: participants without a page, and listeners on an edge. */

import { randomBytes } from 'node:crypto';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { ConnectOptions, RawClient } from '../support/raw-client.js';
import type { RunningExample } from './support.js';

/** Headers of a page of another site. */
export const from = (origin: string) => ({ headers: { origin } });

/** A free room, from the service. */
export async function acquire(example: RunningExample): Promise<string> {
  const { status, body } = await example.ask('GET', '/api/rooms');
  expect(status).toBe(200);
  expect(body).toMatchObject({ status: 'waiting', participants: [] });
  return String(Object(body).room_id);
}

export const wsPath = (room: string): string => `/api/rooms/${room}/ws`;
export const roomPath = (room: string, what: string): string => `/api/rooms/${room}/${what}`;

/** A request of a participant, who is identified by a key as a page has one. */
export function participant(example: RunningExample, room: string) {
  const headers = { 'content-type': 'application/json', 'participant-key': randomBytes(16).toString('hex') };
  return async (what: string, body: object) => {
    const init = { method: 'PATCH', headers, body: JSON.stringify(body) };
    const response = await fetch(`${example.url}${roomPath(room, what)}`, init);
    return { status: response.status, body: await response.json() };
  };
}

/** Resolves when it hears the room. */
export async function listen(
  example: RunningExample,
  room: string,
  options: ConnectOptions & { readonly edge?: 0 | 1 } = {},
): Promise<RawClient> {
  const listener = await example.connect(wsPath(room), options);
  expect((await listener.nextFrame('welcome')).payload).toMatchObject({ rooms: [room], user: { name: 'Anonymous' } });
  return listener;
}

export const row = (page: Page, name: string) => page.locator(`[data-participant="${name}"]`);

export async function sayReady(page: Page, name: string): Promise<void> {
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'I am ready' }).click();
  await page.getByText('You are ready.').waitFor();
}
