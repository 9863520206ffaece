/** Rooms of the chat's stories, and people in them without a page. */
import type { RawClient } from '../support/raw-client.js';
import type { RunningExample } from './support.js';

export async function addRoom(example: RunningExample, name: string): Promise<string> {
  const { body } = await example.ask('POST', '/api/rooms', { name });
  return (body as { room: { id: string } }).room.id;
}

/** Signed in, with a connection that knows the names of frames alone. */
export async function session(example: RunningExample, name: string, edge: 0 | 1): Promise<RawClient> {
  const { body } = await example.ask('POST', '/api/sign-in', { name });
  return await example.connect('/ws', { name, edge, token: (body as { token: string }).token, tokenIn: 'query' });
}
