/** Client events of pages: subscribe to a chat, unsubscribe, and typing. */
import type { Hubbub, ServiceEvent } from '@hubbub/server';
import { z } from 'zod';
import type { Documents } from '../state/documents.js';
import { roomOf } from './announcer.js';
import type { Chat } from './workspace.js';

const about = z.object({ chat_id: z.string().regex(/^[\w.-]{1,64}$/) });

export interface ClientEventsParts {
  readonly hubbub: Hubbub;
  readonly documents: Documents;
  readonly leaseMs: number;
}

export function answerClientEvents({ hubbub, documents, leaseMs }: ClientEventsParts): void {
  async function isMember(chatId: string, userId: string): Promise<boolean> {
    const chat = await documents.read<Chat>(`chat:${chatId}`);
    return chat?.members.some(({ id }) => id === userId) === true;
  }

  async function subscribe({ session, user, reply }: ServiceEvent, chatId: string): Promise<void> {
    if (!(await isMember(chatId, user.id))) {
      return await reply(error('FORBIDDEN', `You do not belong to a chat ${chatId}.`, chatId));
    }
    await hubbub.addToRoom(roomOf(chatId), session, ['join', 'event', 'presence']);
    // A user who was removed from the chat meanwhile may not have been in the room at that time.
    if (!(await isMember(chatId, user.id))) await hubbub.removeSession(roomOf(chatId), session, 'no longer a member');
  }

  async function typing({ session, user, rooms, reply }: ServiceEvent, chatId: string): Promise<void> {
    const room = roomOf(chatId);
    if (!rooms.includes(room)) return await reply(error('NOT_IN_ROOM', 'Subscribe to the chat first.', chatId));
    const payload = { chat_id: chatId };
    await hubbub.publishToRoom(room, { type: 'chat.typing', payload, sender: user, excludeSession: session.id });
  }

  hubbub.onEvents('default', { group: 'task-events', leaseMs }, async event => {
    const { success, data } = about.safeParse(event.payload);
    if (!success) return await event.reply(error('INVALID_PAYLOAD', 'chat_id: expected the id of a chat'));
    const { chat_id } = data;
    if (event.type === 'subscribe.chat') await subscribe(event, chat_id);
    if (event.type === 'unsubscribe.chat') await hubbub.removeSession(roomOf(chat_id), event.session, 'unsubscribed');
    if (event.type === 'chat.typing') await typing(event, chat_id);
  });
}

function error(code: string, message: string, chatId?: string) {
  return { type: 'error', payload: { code, message, ...(chatId !== undefined && { chat_id: chatId }) } };
}
