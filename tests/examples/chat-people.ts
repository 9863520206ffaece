/** Rooms of the chat's stories, and people in them without a page. */
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
