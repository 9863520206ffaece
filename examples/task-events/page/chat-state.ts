/** One chat as the page knows it: the service's answer, and later frames. */
import type { Frame, Sender } from '@hubbub/client';
import { Typists } from '../../page/typists.js';
import type { ChatContent, Message, Task } from './service-calls.js';

/** The frames that the service makes of domain events, and its frames of the chat itself. */
export const CHAT_FRAMES = [
  'chat.message.posted',
  'chat.message.edited',
  'task.updated',
  'chat.members',
  'chat.typing',
] as const;

export class ChatState {
  readonly chatId: string;
  title: string;
  members: readonly Sender[] = [];
  readonly typists: Typists;
  unread = 0;
  /** Why it cannot be heard or shown. */
  problem: string | undefined;
  #messages: readonly Message[] = [];
  #tasks: readonly Task[] = [];
  /** Frames that came during a request: the answer may be older. */
  #early: Frame[] | undefined;

  constructor(chatId: string, title: string, changed: () => void) {
    this.chatId = chatId;
    this.title = title;
    this.typists = new Typists(changed);
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  get tasks(): readonly Task[] {
    return this.#tasks;
  }

  /** Replaces the state with the service's. @throws {Error} with words for people */
  async load(content: () => Promise<ChatContent>): Promise<void> {
    const early: Frame[] = [];
    this.#early = early;
    try {
      const { title, members, messages, tasks } = await content();
      Object.assign(this, { title, members, problem: undefined });
      this.#messages = messages;
      this.#tasks = tasks;
      for (const frame of early) this.#apply(frame);
    } finally {
      if (this.#early === early) this.#early = undefined;
    }
  }

  /** Returns whether it is news to read. */
  take(frame: Frame): boolean {
    this.#early?.push(frame);
    if (frame.type === 'chat.typing') {
      if (frame.sender !== undefined) this.typists.started(frame.sender);
      return false;
    }
    this.#apply(frame);
    return frame.type === 'chat.message.posted';
  }

  #apply({ type, payload }: Frame): void {
    if (type === 'chat.message.posted' && isMessage(payload)) {
      this.typists.stopped(payload.author.id);
      if (this.#messages.some(({ message_id }) => message_id === payload.message_id)) return;
      this.#messages = [...this.#messages, payload];
    } else if (type === 'chat.message.edited' && isEdit(payload)) {
      const { message_id, text, edited_at } = payload;
      this.#messages = this.#messages.map(message =>
        message.message_id === message_id ? { ...message, text, edited_at } : message,
      );
    } else if (type === 'chat.members' && Array.isArray(payload?.members)) {
      this.members = payload.members;
    } else if (type === 'task.updated' && isTask(payload)) {
      const known = this.#tasks.some(({ task_id }) => task_id === payload.task_id);
      this.#tasks = known
        ? this.#tasks.map(task => (task.task_id === payload.task_id ? payload : task))
        : [...this.#tasks, payload];
    }
  }
}

type Fields = Readonly<Record<string, unknown>> | undefined;

function isMessage(payload: Fields): payload is Fields & Message {
  const author = payload?.author;
  return has(payload, 'message_id', 'text', 'at') && typeof author === 'object' && author !== null && 'name' in author;
}

function isEdit(payload: Fields): payload is Fields & Required<Pick<Message, 'message_id' | 'text' | 'edited_at'>> {
  return has(payload, 'message_id', 'text', 'edited_at');
}

function isTask(payload: Fields): payload is Fields & Task {
  return has(payload, 'task_id', 'title', 'status');
}

function has(payload: Fields, ...names: string[]): boolean {
  return names.every(name => typeof payload?.[name] === 'string');
}
