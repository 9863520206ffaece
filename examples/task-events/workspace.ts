/** Chats, tasks and notifications: domain events of other programs change them, and become frames. */
import { type Hubbub, HubbubError, type Publication, type Sender } from '@hubbub/server';
import { z } from 'zod';
import type { Documents } from '../state/documents.js';

const id = z.string().regex(/^[\w.-]{1,64}$/);
const text = z.string().min(1).max(4000);
const at = z.iso.datetime({ offset: true }).optional();

/** Domain events as text on any bus. Other fields than these are for other readers. */
const domainEvent = z.discriminatedUnion('event', [
  z.object({ event: z.literal('MessagePosted'), chat_id: id, message_id: id, user_id: id, text, at }),
  z.object({ event: z.literal('MessageEdited'), chat_id: id, message_id: id, text, at }),
  z.object({
    event: z.literal('StatusChanged'),
    chat_id: id,
    task_id: id,
    status: z.enum(['open', 'doing', 'review', 'done']),
    title: z.string().min(1).max(200).optional(),
    at,
  }),
  z.object({
    event: z.literal('NotificationCreated'),
    user_id: id,
    notification_id: id,
    text: z.string().min(1).max(500),
    chat_id: id.optional(),
    at,
  }),
]);
type DomainEvent = z.infer<typeof domainEvent>;

/** An event that fails every time, however often it is handled. */
export class UnusableEvent extends Error {}

/** @throws {UnusableEvent} with the problem */
export function readDomainEvent(json: string): DomainEvent {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new UnusableEvent('not JSON');
  }
  const { success, data, error } = domainEvent.safeParse(value);
  if (success) return data;
  const issue = error.issues[0];
  throw new UnusableEvent(`${issue?.path.join('.') || 'event'}: ${issue?.message}`);
}

/** One event of a bus. */
export interface BusEntry {
  /** Grows with each event: milliseconds, a dash, a number. Handling the event again does not change it. */
  readonly entryId: string;
  readonly text: string;
}

/** Types and not interfaces: documents are records, which interfaces are not. */
export type Chat = {
  readonly chat_id: string;
  readonly title: string;
  readonly members: readonly Sender[];
  /** The newest, oldest first. */
  readonly messages: readonly Message[];
  readonly tasks: readonly Task[];
};

interface Message {
  readonly message_id: string;
  readonly author: Sender;
  readonly text: string;
  readonly at: string;
  readonly edited_at?: string;
  /** The event that wrote it last. */
  readonly entry: string;
}

interface Task {
  readonly task_id: string;
  readonly title: string;
  readonly status: string;
  readonly updated_at: string;
  readonly entry: string;
}

export type User = {
  readonly chats: readonly string[];
  /** The newest, newest first. */
  readonly notifications: readonly Notification[];
};

interface Notification {
  readonly notification_id: string;
  readonly text: string;
  readonly chat_id?: string;
  readonly at: string;
  readonly read: boolean;
  readonly entry: string;
}

/** A user exists from the first event about them. */
export const NEW_USER: User = { chats: [], notifications: [] };

const MESSAGES_MAX = 200;
const TASKS_MAX = 100;
const NOTIFICATIONS_MAX = 50;

export function roomOf(chatId: string): string {
  return `chat:${chatId}`;
}

/**
 * Returns the handler of domain events: it stores an event, then publishes its frame. A service that dies in between does
 * both again. Storing twice has the result of storing once, and by the entry's id the hub publishes a frame once.
 */
export function createEventHandler(hubbub: Hubbub, documents: Documents): (entry: BusEntry) => Promise<void> {
  async function changeChat(chatId: string, change: (chat: Chat) => Chat): Promise<Chat> {
    const chat = await documents.update<Chat>(`chat:${chatId}`, before => before && change(before));
    if (chat === undefined) throw new UnusableEvent(`there is no chat ${chatId}`);
    return chat;
  }

  /** Returns the frame of an event; `undefined` if a later event made it superfluous. */
  async function store(event: DomainEvent, entry: string): Promise<Publication | undefined> {
    // An event without a time has the time of its entry, which is the same at every repetition.
    const time = event.at ?? new Date(Number(entry.split('-')[0])).toISOString();
    switch (event.event) {
      case 'MessagePosted': {
        const { chat_id, message_id, user_id, text } = event;
        const chat = await changeChat(chat_id, before => {
          const author = before.members.find(member => member.id === user_id) ?? { id: user_id, name: user_id };
          return withMessage(before, { message_id, author, text, at: time, entry });
        });
        const message = chat.messages.find(each => each.message_id === message_id);
        if (message?.entry !== entry) return undefined;
        const payload = { chat_id, message_id, author: message.author, text, at: time };
        return { type: 'chat.message.posted', payload, sender: message.author };
      }
      case 'MessageEdited': {
        const { chat_id, message_id, text } = event;
        const chat = await changeChat(chat_id, before =>
          withEdit(before, { message_id, text, edited_at: time, entry }),
        );
        const message = chat.messages.find(each => each.message_id === message_id);
        // A page may still show a message that is too old to be stored.
        if (message !== undefined && message.entry !== entry) return undefined;
        return { type: 'chat.message.edited', payload: { chat_id, message_id, text, edited_at: time } };
      }
      case 'StatusChanged': {
        const { chat_id, task_id, status, title } = event;
        const chat = await changeChat(chat_id, before =>
          withTask(before, { task_id, status, title, updated_at: time, entry }),
        );
        const task = chat.tasks.find(each => each.task_id === task_id);
        if (task?.entry !== entry) return undefined;
        const payload = { chat_id, task_id, title: task.title, status, updated_at: time };
        return { type: 'task.updated', payload };
      }
      case 'NotificationCreated': {
        const { user_id, notification_id, text, chat_id } = event;
        const payload = { notification_id, text, at: time, ...(chat_id !== undefined && { chat_id }) };
        const user = await documents.update<User>(`user:${user_id}`, before =>
          withNotification(before, { ...payload, read: false, entry }),
        );
        const known = user?.notifications.find(each => each.notification_id === notification_id);
        return known?.entry === entry ? { type: 'notification.new', payload } : undefined;
      }
    }
  }

  return async ({ entryId, text }) => {
    const event = readDomainEvent(text);
    try {
      const frame = await store(event, entryId);
      if (frame === undefined) return;
      const publication = { ...frame, idempotencyKey: `domain:${entryId}` };
      if (event.event === 'NotificationCreated') await hubbub.publishToUser(event.user_id, publication);
      else await hubbub.publishToRoom(roomOf(event.chat_id), publication);
    } catch (error) {
      // Each frame has an idempotency key: one of unknown outcome may be published again.
      const isFinal = error instanceof HubbubError && !error.retryable && error.code !== 'OUTCOME_UNKNOWN';
      throw isFinal ? new UnusableEvent(error.message) : error;
    }
  };
}

// The functions below are pure: `documents.update` may call them several times.

/** A known message stays unchanged. */
function withMessage(chat: Chat, message: Message): Chat {
  if (chat.messages.some(({ message_id }) => message_id === message.message_id)) return chat;
  return { ...chat, messages: [...chat.messages, message].slice(-MESSAGES_MAX) };
}

/** An older event than the one that wrote the message last changes nothing: it was handled before. */
function withEdit(
  chat: Chat,
  { message_id, ...edit }: Pick<Message, 'message_id' | 'text' | 'entry'> & { readonly edited_at: string },
): Chat {
  const edited = (message: Message): Message =>
    message.message_id === message_id && isLater(edit.entry, message.entry) ? { ...message, ...edit } : message;
  return { ...chat, messages: chat.messages.map(edited) };
}

function withTask(chat: Chat, change: Omit<Task, 'title'> & { readonly title?: string | undefined }): Chat {
  const known = chat.tasks.find(({ task_id }) => task_id === change.task_id);
  if (known !== undefined && !isLater(change.entry, known.entry)) return chat;
  const task = { ...change, title: change.title ?? known?.title ?? change.task_id };
  if (known === undefined) return { ...chat, tasks: [...chat.tasks, task].slice(-TASKS_MAX) };
  return { ...chat, tasks: chat.tasks.map(each => (each === known ? task : each)) };
}

function withNotification(user: User = NEW_USER, notification: Notification): User {
  const { notifications } = user;
  if (notifications.some(({ notification_id }) => notification_id === notification.notification_id)) return user;
  return { ...user, notifications: [notification, ...notifications].slice(0, NOTIFICATIONS_MAX) };
}

/** Whether entry `a` came after `b`: milliseconds, a dash, a number. */
function isLater(a: string, b: string): boolean {
  const [msOfA = 0, countOfA = 0] = a.split('-').map(Number);
  const [msOfB = 0, countOfB = 0] = b.split('-').map(Number);
  return msOfA === msOfB ? countOfA > countOfB : msOfA > msOfB;
}
