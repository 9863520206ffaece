/** The people of the voting room's stories: who take a room, and who hear it on an edge. */
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
