/** Chat and tasks from an event bus: who is who, chats and their members, subscriptions, and domain events. */
import { randomBytes } from 'node:crypto';
import type { Sender, ServiceEvent } from '@hubbub/server';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Example, HttpProblem, type ServiceParts, slugOf } from '../service/example.js';
import { RedisDomainEventBus } from './redis/domain-event-bus.js';
import {
  type Chat,
  createEventHandler,
  NEW_USER,
  readDomainEvent,
  roomOf,
  UnusableEvent,
  type User,
} from './workspace.js';

const DAY_MS = 86_400_000;
const name = z.string().trim().min(1).max(40);
const signInBody = z.strictObject({ name });
const chatBody = z.strictObject({
  title: z.string().trim().min(1).max(60),
  members: z.array(name).max(20).default([]),
});
const chatPath = z.object({ chat_id: z.string() });
const memberPath = z.object({ chat_id: z.string(), user_id: z.string() });
const memberBody = z.strictObject({ name });
const subscription = z.object({ chat_id: z.string().regex(/^[\w.-]{1,64}$/) });

export const taskEvents: Example = {
  name: 'task-events',
  title: 'Chat and tasks',
  stateTtlMs: DAY_MS,
  start(parts) {
    serveWorkspace(parts);
    answerClientEvents(parts);
  },
};

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

type SignIn = { readonly user: Sender };

/** `Ada Lovelace` is `ada-lovelace`: other programs use this id. @throws {HttpProblem} for a name without letters or digits */
function userOf(name: string): Sender {
  const id = slugOf(name);
  if (id === '') throw new HttpProblem(400, 'a name has letters from a to z, or digits');
  return { id, name };
}

function serveWorkspace(parts: ServiceParts): void {
  const { http, hubbub, mint, documents } = parts;
  const bus = openBus(parts);

  /** @throws {HttpProblem} 401 */
  async function requestingUser({ headers }: FastifyRequest): Promise<Sender> {
    const key = /^Bearer ([\w-]{1,64})$/.exec(headers.authorization ?? '')?.[1];
    // An update that changes nothing extends the sign-in.
    const known = key === undefined ? undefined : await documents.update<SignIn>(`key:${key}`, before => before);
    if (known === undefined) throw new HttpProblem(401, 'sign in first');
    return known.user;
  }

  /** @throws {HttpProblem} 404 also to those who do not belong to the chat: they must not learn that it exists */
  async function chatOf(chatId: string, { id: userId }: Sender): Promise<Chat> {
    const chat = await documents.read<Chat>(`chat:${chatId}`);
    if (!isMember(chat, userId)) throw new HttpProblem(404, 'there is no such chat for you');
    return chat;
  }

  async function publishMembers(chat: Chat | undefined): Promise<void> {
    if (chat === undefined) return;
    const { chat_id, members } = chat;
    await hubbub.publishToRoom(roomOf(chat_id), { type: 'chat.members', payload: { chat_id, members } });
  }

  /** Changes the chat first: it decides who belongs to it. The list of the user only finds it. */
  async function addMember(chatId: string, member: Sender, newChat?: Chat): Promise<void> {
    const chat = await documents.update<Chat>(`chat:${chatId}`, before => {
      const known = before ?? newChat;
      return known && { ...known, members: [...known.members.filter(({ id }) => id !== member.id), member] };
    });
    await documents.update<User>(`user:${member.id}`, (user = NEW_USER) => ({
      ...user,
      chats: [...user.chats.filter(id => id !== chatId), chatId],
    }));
    await hubbub.publishToUser(member.id, { type: 'chat.added', payload: { chat_id: chatId, title: chat?.title } });
    await publishMembers(chat);
  }

  http.post('/api/sign-in', async request => {
    const user = userOf(signInBody.parse(request.body).name);
    const key = randomBytes(24).toString('base64url');
    await documents.update<SignIn>(`key:${key}`, () => ({ user }));
    const first = await documents.read<Chat>(`chat:${FIRST_CHAT.chat_id}`);
    if (!isMember(first, user.id)) await addMember(FIRST_CHAT.chat_id, user, FIRST_CHAT);
    return { user, key };
  });

  // The token opens no room, and allows client events: the service decides on each subscription.
  http.post('/api/token', async request => {
    const user = await requestingUser(request);
    return { token: mint.session({ user: user.id, name: user.name, rooms: { default: ['event'] } }) };
  });

  http.get('/api/workspace', async request => {
    const { id } = await requestingUser(request);
    const user = await documents.read<User>(`user:${id}`);
    const chats = await Promise.all((user?.chats ?? []).map(chatId => documents.read<Chat>(`chat:${chatId}`)));
    return {
      chats: chats.filter(chat => isMember(chat, id)).map(({ chat_id, title }) => ({ chat_id, title })),
      notifications: user?.notifications ?? [],
      commands: bus.commands,
    };
  });

  http.get('/api/chats/:chat_id', async request =>
    chatOf(chatPath.parse(request.params).chat_id, await requestingUser(request)),
  );

  http.post('/api/chats', async request => {
    const user = await requestingUser(request);
    const { title, members } = chatBody.parse(request.body);
    const chat_id = `${userOf(title).id.slice(0, 40)}-${randomBytes(3).toString('hex')}`;
    const chat = { chat_id, title, members: [], messages: [], tasks: [] };
    for (const member of [user, ...members.map(userOf)]) await addMember(chat_id, member, chat);
    return { chat_id, title };
  });

  http.post('/api/chats/:chat_id/members', async request => {
    const { chat_id } = await chatOf(chatPath.parse(request.params).chat_id, await requestingUser(request));
    await addMember(chat_id, userOf(memberBody.parse(request.body).name));
    return await documents.read<Chat>(`chat:${chat_id}`);
  });

  http.delete('/api/chats/:chat_id/members/:user_id', async request => {
    const { chat_id, user_id } = memberPath.parse(request.params);
    await chatOf(chat_id, await requestingUser(request));
    const chat = await documents.update<Chat>(
      `chat:${chat_id}`,
      before => before && { ...before, members: before.members.filter(({ id }) => id !== user_id) },
    );
    await documents.update<User>(`user:${user_id}`, (user = NEW_USER) => ({
      ...user,
      chats: user.chats.filter(id => id !== chat_id),
    }));
    await hubbub.removeFromRoom(roomOf(chat_id), user_id, 'no longer a member');
    await publishMembers(chat);
    return chat;
  });

  http.post('/api/notifications/read', async request => {
    const { id } = await requestingUser(request);
    await documents.update<User>(`user:${id}`, (user = NEW_USER) => ({
      ...user,
      notifications: user.notifications.map(notification => ({ ...notification, read: true })),
    }));
    await hubbub.publishToUser(id, { type: 'notification.read' });
    return {};
  });

  // For people without redis-cli. These events take the path of all domain events.
  http.post('/api/domain-events', async (request, reply) => {
    await requestingUser(request);
    const text = JSON.stringify(request.body ?? null);
    try {
      readDomainEvent(text);
    } catch (error) {
      throw error instanceof UnusableEvent ? new HttpProblem(422, error.message) : error;
    }
    await bus.publish(text);
    return await reply.code(202).send({});
  });
}

function isMember(chat: Chat | undefined, userId: string): chat is Chat {
  return chat?.members.some(({ id }) => id === userId) === true;
}

type Bus = Pick<RedisDomainEventBus, 'publish' | 'commands'>;

/** The bus on Redis, which other programs reach; or without Redis, one in this process: it handles events one after the other. */
function openBus({ hubbub, documents, redis, timeMs, onClose }: ServiceParts): Bus {
  const handle = createEventHandler(hubbub, documents);
  if (redis !== undefined) {
    const bus = new RedisDomainEventBus({ ...redis, leaseMs: timeMs('EXAMPLE_LEASE_MS', 5000), ttlMs: DAY_MS }, handle);
    onClose(() => bus.close());
    return bus;
  }
  let last: Promise<void> = Promise.resolve();
  let count = 0;
  return {
    commands: [],
    async publish(text) {
      const entryId = `${Date.now()}-${count++}`;
      last = last
        .then(() => handle({ entryId, text }))
        .catch(error => void process.stderr.write(`Domain event ${entryId}: ${error.message}\n`));
    },
  };
}

/** Answers client events of pages: subscribe to a chat, unsubscribe, and typing. */
function answerClientEvents({ hubbub, documents, timeMs }: ServiceParts): void {
  async function belongs(chatId: string, userId: string): Promise<boolean> {
    return isMember(await documents.read<Chat>(`chat:${chatId}`), userId);
  }

  async function subscribe({ session, user, reply }: ServiceEvent, chatId: string): Promise<void> {
    if (!(await belongs(chatId, user.id))) {
      return await reply(error('FORBIDDEN', `You do not belong to a chat ${chatId}.`, chatId));
    }
    await hubbub.addToRoom(roomOf(chatId), session, ['join', 'event', 'presence']);
    // A user who was removed from the chat meanwhile may not have been in the room at that time.
    if (!(await belongs(chatId, user.id))) await hubbub.removeSession(roomOf(chatId), session, 'no longer a member');
  }

  async function typing({ session, user, rooms, reply }: ServiceEvent, chatId: string): Promise<void> {
    const room = roomOf(chatId);
    if (!rooms.includes(room)) return await reply(error('NOT_IN_ROOM', 'Subscribe to the chat first.', chatId));
    const payload = { chat_id: chatId };
    await hubbub.publishToRoom(room, { type: 'chat.typing', payload, sender: user, excludeSession: session.id });
  }

  const leaseMs = timeMs('EXAMPLE_LEASE_MS', 5000);
  hubbub.onEvents('default', { group: 'task-events', leaseMs }, async event => {
    const { success, data } = subscription.safeParse(event.payload);
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
