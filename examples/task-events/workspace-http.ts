/** HTTP of the workspace: who is who, chats and their members, and a way for pages to play the other programs. */
import { randomBytes } from 'node:crypto';
import type { Hubbub, Sender, TokenMint } from '@hubbub/server';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Documents } from '../state/documents.js';
import { roomOf } from './announcer.js';
import type { DomainEventBus } from './domain-event-bus.js';
import { readDomainEvent, UnusableEvent } from './domain-events.js';
import { Refusal, requestingUser, signIn, userOf } from './people.js';
import { type Chat, type User, withAllRead, withChat, withMember, withoutChat, withoutMember } from './workspace.js';

const name = z.string().trim().min(1).max(40);
const signInBody = z.strictObject({ name });
const chatBody = z.strictObject({
  title: z.string().trim().min(1).max(60),
  members: z.array(name).max(20).default([]),
});
const chatPath = z.object({ chat_id: z.string() });
const memberPath = z.object({ chat_id: z.string(), user_id: z.string() });
const memberBody = z.strictObject({ name });

export interface WorkspaceHttpParts {
  readonly http: FastifyInstance;
  readonly hubbub: Hubbub;
  readonly mint: TokenMint;
  readonly documents: Documents;
  readonly bus: DomainEventBus;
}

/** The chat of everybody who signs in. */
const FIRST_CHAT: Chat = {
  chat_id: 'launch',
  title: 'Product launch',
  members: [],
  messages: [],
  tasks: ['Write the announcement', 'Check the price list', 'Invite the press'].map((title, index) => ({
    task_id: `T-${index + 1}`,
    title,
    status: index === 0 ? 'doing' : 'open',
    updated_at: '2026-01-01T00:00:00.000Z',
    entry: '0-0',
  })),
};

export function serveWorkspace({ http, hubbub, mint, documents, bus }: WorkspaceHttpParts): void {
  /** @throws {Refusal} 404 to those who do not belong to it, too: what they must not see is not there for them. */
  async function chatOf(chatId: string, { id: userId }: Sender): Promise<Chat> {
    const chat = await documents.read<Chat>(`chat:${chatId}`);
    if (chat?.members.some(({ id }) => id === userId) !== true) throw new Refusal(404, 'there is no such chat for you');
    return chat;
  }

  async function tellMembers(chat: Chat | undefined): Promise<void> {
    if (chat === undefined) return;
    const { chat_id, members } = chat;
    await hubbub.publishToRoom(roomOf(chat_id), { type: 'chat.members', payload: { chat_id, members } });
  }

  /** The chat first: it is what counts; the user's list only finds it. */
  async function addMember(chatId: string, member: Sender, chat?: Chat): Promise<void> {
    const found = await documents.update<Chat>(`chat:${chatId}`, before => {
      const known = before ?? chat;
      return known && withMember(known, member);
    });
    await documents.update<User>(`user:${member.id}`, user => withChat(user, chatId));
    await hubbub.publishToUser(member.id, { type: 'chat.added', payload: { chat_id: chatId, title: found?.title } });
    await tellMembers(found);
  }

  http.post('/api/sign-in', async request => {
    const signedIn = await signIn(documents, signInBody.parse(request.body).name);
    const first = await documents.read<Chat>(`chat:${FIRST_CHAT.chat_id}`);
    if (first?.members.some(({ id }) => id === signedIn.user.id) !== true) {
      await addMember(FIRST_CHAT.chat_id, signedIn.user, FIRST_CHAT);
    }
    return signedIn;
  });

  // It opens no room, and allows client events: the service decides on each subscription.
  http.post('/api/token', async request => {
    const user = await requestingUser(documents, request);
    return { token: mint.session({ user: user.id, name: user.name, rooms: { default: ['event'] } }) };
  });

  http.get('/api/workspace', async request => {
    const { id } = await requestingUser(documents, request);
    const user = await documents.read<User>(`user:${id}`);
    const chats = await Promise.all((user?.chats ?? []).map(chatId => documents.read<Chat>(`chat:${chatId}`)));
    const mine = chats.filter(chat => chat?.members.some(member => member.id === id) === true);
    return {
      chats: mine.map(chat => ({ chat_id: chat?.chat_id, title: chat?.title })),
      notifications: user?.notifications ?? [],
      commands: bus.commands,
    };
  });

  http.get('/api/chats/:chat_id', async request =>
    chatOf(chatPath.parse(request.params).chat_id, await requestingUser(documents, request)),
  );

  http.post('/api/chats', async request => {
    const user = await requestingUser(documents, request);
    const { title, members } = chatBody.parse(request.body);
    const chat_id = `${userOf(title).id.slice(0, 40)}-${randomBytes(3).toString('hex')}`;
    const chat = { chat_id, title, members: [], messages: [], tasks: [] };
    for (const member of [user, ...members.map(userOf)]) await addMember(chat_id, member, chat);
    return { chat_id, title };
  });

  http.post('/api/chats/:chat_id/members', async request => {
    const { chat_id } = await chatOf(chatPath.parse(request.params).chat_id, await requestingUser(documents, request));
    await addMember(chat_id, userOf(memberBody.parse(request.body).name));
    return await documents.read<Chat>(`chat:${chat_id}`);
  });

  http.delete('/api/chats/:chat_id/members/:user_id', async request => {
    const { chat_id, user_id } = memberPath.parse(request.params);
    await chatOf(chat_id, await requestingUser(documents, request));
    const chat = await documents.update<Chat>(`chat:${chat_id}`, before => before && withoutMember(before, user_id));
    await documents.update<User>(`user:${user_id}`, user => withoutChat(user, chat_id));
    await hubbub.removeFromRoom(roomOf(chat_id), user_id, 'no longer a member');
    await tellMembers(chat);
    return chat;
  });

  http.post('/api/notifications/read', async request => {
    const { id } = await requestingUser(documents, request);
    await documents.update<User>(`user:${id}`, withAllRead);
    await hubbub.publishToUser(id, { type: 'notification.read' });
    return {};
  });

  // For people without redis-cli. These take the path of all domain events.
  http.post('/api/domain-events', async (request, reply) => {
    await requestingUser(documents, request);
    const text = JSON.stringify(request.body ?? null);
    try {
      readDomainEvent(text);
    } catch (error) {
      throw error instanceof UnusableEvent ? new Refusal(422, error.message) : error;
    }
    await bus.publish(text);
    return await reply.code(202).send({});
  });
}
