/** Makes frames of domain events: in the chat's room, and at every connection of a user. */
import { type Hubbub, HubbubError } from '@hubbub/server';
import type { Documents } from '../state/documents.js';
import type { BusEntry } from './domain-event-bus.js';
import { type DomainEvent, readDomainEvent, UnusableEvent } from './domain-events.js';
import { type Chat, type User, withEdit, withMessage, withNotification, withTask } from './workspace.js';

export interface AnnouncerParts {
  readonly hubbub: Hubbub;
  readonly documents: Documents;
}

type Of<Name extends DomainEvent['event']> = Extract<DomainEvent, { event: Name }>;

export function roomOf(chatId: string): string {
  return `chat:${chatId}`;
}

function keyOf(entryId: string): string {
  return `domain:${entryId}`;
}

/**
 * Handles one event: remembers it, then announces it. A service that dies in between does both again: remembering twice is like
 * once, and the entry's id keeps the hub from publishing it twice.
 */
export function createAnnouncer({ hubbub, documents }: AnnouncerParts): (entry: BusEntry) => Promise<void> {
  async function change(chatId: string, how: (chat: Chat) => Chat): Promise<Chat> {
    const chat = await documents.update<Chat>(`chat:${chatId}`, before => before && how(before));
    if (chat === undefined) throw new UnusableEvent(`there is no chat ${chatId}`);
    return chat;
  }

  async function posted({ chat_id, message_id, user_id, text }: Of<'MessagePosted'>, at: string, entry: string) {
    let author = { id: user_id, name: user_id };
    const chat = await change(chat_id, before => {
      author = before.members.find(({ id }) => id === user_id) ?? author;
      return withMessage(before, { message_id, author, text, at, entry });
    });
    const message = chat.messages.find(each => each.message_id === message_id);
    if (message?.entry !== entry) return; // It was posted, and edited since.
    const payload = { chat_id, message_id, author: message.author, text, at };
    await tellRoom(chat_id, { type: 'chat.message.posted', payload, sender: message.author }, entry);
  }

  async function edited({ chat_id, message_id, text }: Of<'MessageEdited'>, edited_at: string, entry: string) {
    const chat = await change(chat_id, before => withEdit(before, { message_id, text, edited_at, entry }));
    const message = chat.messages.find(each => each.message_id === message_id);
    // One that is too old to be remembered may still be shown somewhere.
    if (message !== undefined && message.entry !== entry) return;
    await tellRoom(chat_id, { type: 'chat.message.edited', payload: { chat_id, message_id, text, edited_at } }, entry);
  }

  async function statusChanged(event: Of<'StatusChanged'>, updated_at: string, entry: string) {
    const { chat_id, task_id, status, title } = event;
    const chat = await change(chat_id, before => withTask(before, { task_id, status, title, updated_at, entry }));
    const task = chat.tasks.find(each => each.task_id === task_id);
    if (task?.entry !== entry) return;
    const payload = { chat_id, task_id, title: task.title, status, updated_at };
    await tellRoom(chat_id, { type: 'task.updated', payload }, entry);
  }

  async function notified(event: Of<'NotificationCreated'>, at: string, entry: string) {
    const { user_id, notification_id, text, chat_id } = event;
    const about = { notification_id, text, at, ...(chat_id !== undefined && { chat_id }) };
    const user = await documents.update<User>(`user:${user_id}`, before =>
      withNotification(before, { ...about, read: false, entry }),
    );
    const known = user?.notifications.find(each => each.notification_id === notification_id);
    if (known?.entry !== entry) return; // Announced before, by another event.
    await hubbub.publishToUser(user_id, { type: 'notification.new', payload: about, idempotencyKey: keyOf(entry) });
  }

  async function tellRoom(chatId: string, message: Parameters<Hubbub['publishToRoom']>[1], entry: string) {
    await hubbub.publishToRoom(roomOf(chatId), { ...message, idempotencyKey: keyOf(entry) });
  }

  async function announce(event: DomainEvent, entry: string): Promise<void> {
    // The entry's time where the event has none: the same, however often it is handled.
    const at = event.at ?? new Date(Number(entry.split('-')[0])).toISOString();
    if (event.event === 'MessagePosted') await posted(event, at, entry);
    else if (event.event === 'MessageEdited') await edited(event, at, entry);
    else if (event.event === 'StatusChanged') await statusChanged(event, at, entry);
    else await notified(event, at, entry);
  }

  return async ({ entryId, text }) => {
    const event = readDomainEvent(text);
    try {
      await announce(event, entryId);
    } catch (error) {
      // Each message has an idempotency key: also one of unknown outcome may be sent again.
      const isFinal = error instanceof HubbubError && !error.retryable && error.code !== 'OUTCOME_UNKNOWN';
      if (isFinal) throw new UnusableEvent(error.message);
      throw error;
    }
  };
}
