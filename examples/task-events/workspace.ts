/** The state of chats, tasks and users, and its changes. Pure: given to `documents.update`. */
import type { Sender } from '@hubbub/server';

/** Types and not interfaces: documents are records, which interfaces are not. */
export type Chat = {
  readonly chat_id: string;
  readonly title: string;
  readonly members: readonly Sender[];
  /** The newest, oldest first. */
  readonly messages: readonly Message[];
  readonly tasks: readonly Task[];
};

export interface Message {
  readonly message_id: string;
  readonly author: Sender;
  readonly text: string;
  readonly at: string;
  readonly edited_at?: string;
  /** The event that wrote it last. */
  readonly entry: string;
}

export interface Task {
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

export interface Notification {
  readonly notification_id: string;
  readonly text: string;
  readonly chat_id?: string;
  readonly at: string;
  readonly read: boolean;
  readonly entry: string;
}

const MESSAGES_MAX = 200;
const TASKS_MAX = 100;
const NOTIFICATIONS_MAX = 50;

/** A message that is there stays as it is. */
export function withMessage(chat: Chat, message: Message): Chat {
  if (chat.messages.some(({ message_id }) => message_id === message.message_id)) return chat;
  return { ...chat, messages: [...chat.messages, message].slice(-MESSAGES_MAX) };
}

/** An older event than the one that wrote it last changes nothing: it was handled before. */
export function withEdit(
  chat: Chat,
  { message_id, ...edit }: Pick<Message, 'message_id' | 'text' | 'entry'> & { readonly edited_at: string },
): Chat {
  const edited = (message: Message): Message =>
    message.message_id === message_id && isLater(edit.entry, message.entry) ? { ...message, ...edit } : message;
  return { ...chat, messages: chat.messages.map(edited) };
}

export function withTask(chat: Chat, change: Omit<Task, 'title'> & { readonly title?: string | undefined }): Chat {
  const known = chat.tasks.find(({ task_id }) => task_id === change.task_id);
  if (known !== undefined && !isLater(change.entry, known.entry)) return chat;
  const task = { ...change, title: change.title ?? known?.title ?? change.task_id };
  if (known === undefined) return { ...chat, tasks: [...chat.tasks, task].slice(-TASKS_MAX) };
  return { ...chat, tasks: chat.tasks.map(each => (each === known ? task : each)) };
}

export function withMember(chat: Chat, member: Sender): Chat {
  return { ...chat, members: [...chat.members.filter(({ id }) => id !== member.id), member] };
}

export function withoutMember(chat: Chat, userId: string): Chat {
  return { ...chat, members: chat.members.filter(({ id }) => id !== userId) };
}

export function withChat(user: User = NOBODY_YET, chatId: string): User {
  return { ...user, chats: [...user.chats.filter(id => id !== chatId), chatId] };
}

export function withoutChat(user: User = NOBODY_YET, chatId: string): User {
  return { ...user, chats: user.chats.filter(id => id !== chatId) };
}

export function withNotification(user: User = NOBODY_YET, notification: Notification): User {
  const { notifications } = user;
  if (notifications.some(({ notification_id }) => notification_id === notification.notification_id)) return user;
  return { ...user, notifications: [notification, ...notifications].slice(0, NOTIFICATIONS_MAX) };
}

export function withAllRead(user: User = NOBODY_YET): User {
  return { ...user, notifications: user.notifications.map(notification => ({ ...notification, read: true })) };
}

/** Users exist as soon as somebody speaks of them. */
const NOBODY_YET: User = { chats: [], notifications: [] };

/** Whether entry `a` came after `b`: milliseconds, a dash, a number. */
function isLater(a: string, b: string): boolean {
  const [msOfA = 0, countOfA = 0] = a.split('-').map(Number);
  const [msOfB = 0, countOfB = 0] = b.split('-').map(Number);
  return msOfA === msOfB ? countOfA > countOfB : msOfA > msOfB;
}
