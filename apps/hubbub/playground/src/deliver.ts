/** Sends a message and marks on it how far it came. */
import { type HubbubClient, HubbubError } from '@hubbub/client';
import type { ChatRoom } from './state/chat-room.js';
import type { Message } from './state/entries.js';

/** Never rejects: what went wrong stands on the message. */
export async function deliver(
  client: HubbubClient | undefined,
  room: ChatRoom,
  message: Message,
  changed: () => void,
): Promise<void> {
  message.delivery = 'pending';
  message.error = undefined;
  changed();
  try {
    if (client === undefined) throw new HubbubError('UNAVAILABLE', 'Not connected.');
    const { id, text } = message;
    await client.room(room.name).send({ content: text }, id === undefined ? {} : { id });
    message.delivery = 'acked';
  } catch (error) {
    message.delivery = 'failed';
    message.error = asHubbubError(error);
  }
  changed();
}

export function asHubbubError(error: unknown): HubbubError {
  return error instanceof HubbubError ? error : new HubbubError('UNAVAILABLE', String(error), { cause: error });
}

/** Not crypto.randomUUID: browsers have it on https and localhost only. */
export function frameId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), byte => byte.toString(16).padStart(2, '0')).join('');
}
