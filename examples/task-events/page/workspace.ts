/** The workspace as the page knows it: answers of the service, kept current by frames. */
import type { Frame, HubbubClient, Payload, Room, Sender } from '@hubbub/client';
import { ask, hubClient, newId, wordsOf } from '../../page/hub.js';
import { toast } from '../../page/ui.js';
import { has, isMessage, isNotification, isTask, type Message, type Notification, type Task } from './payloads.js';

export interface SignedIn {
  readonly user: Sender;
  readonly key: string;
}

interface ChatContent {
  readonly title: string;
  readonly members: readonly Sender[];
  readonly messages: readonly Message[];
  readonly tasks: readonly Task[];
}

interface WorkspaceContent {
  readonly chats: readonly { readonly chat_id: string; readonly title: string }[];
  readonly notifications: readonly Notification[];
  /** Shell commands that lack their last word, a domain event; empty without Redis. */
  readonly commands: readonly string[];
}

const CHAT_FRAMES = ['chat.message.posted', 'chat.message.edited', 'task.updated', 'chat.members'] as const;
/** A subscription without an answer is requested again after this time: the service may have been away. */
const REPEAT_MS = 10_000;

/** One chat. The service adds single sessions to its room, so the page subscribes again in every session. */
export class Chat implements ChatContent {
  readonly id: string;
  readonly room: Room;
  title: string;
  members: readonly Sender[] = [];
  messages: readonly Message[] = [];
  tasks: readonly Task[] = [];
  unread = 0;
  /** The text that was begun here. */
  draft = '';
  /** Why it cannot be heard or shown. */
  problem: string | undefined;
  /** Whether the user wants frames of this chat; `isMuted` if the user ended that. */
  isSubscribed = false;
  isMuted = false;
  repeat: ReturnType<typeof setTimeout> | undefined;
  /** Frames that came during a request: the answer may be older. */
  #early: Frame[] | undefined;

  constructor(id: string, title: string, room: Room) {
    this.id = id;
    this.title = title;
    this.room = room;
  }

  get isLive(): boolean {
    return this.room.state === 'joined';
  }

  /** Replaces the content with the service's. */
  async load(request: Promise<ChatContent>): Promise<void> {
    const early: Frame[] = [];
    this.#early = early;
    try {
      const { title, members, messages, tasks } = await request;
      Object.assign(this, { title, members, messages, tasks, problem: undefined });
      for (const frame of early) this.#apply(frame);
    } catch (error) {
      this.problem = `It could not be loaded: ${wordsOf(error)}`;
    }
    if (this.#early === early) this.#early = undefined;
  }

  take(frame: Frame): void {
    this.#early?.push(frame);
    this.#apply(frame);
  }

  #apply({ type, payload }: Frame): void {
    if (type === 'chat.message.posted' && isMessage(payload)) {
      if (this.messages.some(({ message_id }) => message_id === payload.message_id)) return;
      this.messages = [...this.messages, payload];
    } else if (type === 'chat.message.edited' && has(payload, 'message_id', 'text', 'edited_at')) {
      const { message_id, text, edited_at } = payload as Required<Message>;
      this.messages = this.messages.map(message =>
        message.message_id === message_id ? { ...message, text, edited_at } : message,
      );
    } else if (type === 'chat.members' && Array.isArray(payload?.members)) {
      this.members = payload.members;
    } else if (type === 'task.updated' && isTask(payload)) {
      const isKnown = this.tasks.some(({ task_id }) => task_id === payload.task_id);
      this.tasks = isKnown
        ? this.tasks.map(task => (task.task_id === payload.task_id ? payload : task))
        : [...this.tasks, payload];
    }
  }
}

export class Workspace {
  readonly client: HubbubClient;
  readonly me: Sender;
  readonly chats = new Map<string, Chat>();
  notifications: readonly Notification[] = [];
  commands: readonly string[] = [];
  /** The chat that the user reads. */
  reading: string | undefined;
  readonly #ask: <Answer>(method: string, path: string, body?: object) => Promise<Answer>;
  readonly #changed: () => void;

  /** Loads the workspace and connects. @throws {ServiceError} */
  static async open({ user, key }: SignedIn, changed: () => void): Promise<Workspace> {
    const headers = { authorization: `Bearer ${key}` };
    const client = await hubClient('/ws', async () => {
      return (await ask<{ readonly token: string }>('POST', '/api/token', {}, headers)).token;
    });
    const workspace = new Workspace(client, user, headers, changed);
    await workspace.#load();
    client.connect().catch(() => {}); // The badge shows it.
    return workspace;
  }

  private constructor(
    client: HubbubClient,
    me: Sender,
    headers: Readonly<Record<string, string>>,
    changed: () => void,
  ) {
    this.client = client;
    this.me = me;
    this.#changed = changed;
    this.#ask = (method, path, body) => ask(method, path, body, headers);
    for (const type of CHAT_FRAMES) client.onFrame<string>(type, frame => this.#take(frame));
    client.onFrame<string>('notification.new', ({ payload }) => this.#notify(payload));
    client.onFrame<string>('notification.read', () => {
      this.notifications = this.notifications.map(notification => ({ ...notification, read: true }));
      changed();
    });
    client.onFrame<string>('chat.added', ({ payload }) => {
      if (!has(payload, 'chat_id')) return;
      this.subscribe(this.#add(String(payload?.chat_id), String(payload?.title ?? payload?.chat_id)));
    });
    client.on('state', ({ state, previous }) => {
      if (state !== 'open') return;
      for (const chat of this.chats.values()) if (chat.isSubscribed && !chat.isLive) this.#request(chat);
      // The service has the user's messages of the meantime. If it is away too, the badge shows that.
      if (previous === 'restoring') this.#load().catch(() => {});
    });
    // The service's refusal names the chat.
    client.on<string>('error', ({ payload }) => {
      const chat = payload?.code === 'FORBIDDEN' ? this.chats.get(String(payload.chat_id)) : undefined;
      if (chat !== undefined) this.#end(chat, String(payload?.message));
    });
  }

  subscribe(chat: Chat): void {
    chat.isMuted = false;
    if (!chat.isSubscribed) chat.problem = undefined;
    chat.isSubscribed = true;
    if (!chat.isLive) this.#request(chat);
    this.#changed();
  }

  /** Resolves when the service has the event. */
  async unsubscribe(chat: Chat): Promise<void> {
    chat.isMuted = true;
    this.#end(chat, undefined);
    await this.client.sendEvent('unsubscribe.chat', { chat_id: chat.id });
  }

  async createChat(title: string, members: readonly string[]): Promise<Chat> {
    const { chat_id } = await this.#ask<{ readonly chat_id: string }>('POST', '/api/chats', { title, members });
    const chat = this.#add(chat_id, title);
    this.subscribe(chat);
    return chat;
  }

  async readNotifications(): Promise<void> {
    await this.#ask('POST', '/api/notifications/read', {});
  }

  /** Resolves when the bus has the domain event. Its frame comes over the connection, to this page as to all. */
  async publish(event: object): Promise<void> {
    await this.#ask('POST', '/api/domain-events', event);
  }

  post(chat: Chat, text: string): void {
    const message_id = `m-${newId()}`;
    this.#publish({ event: 'MessagePosted', chat_id: chat.id, message_id, user_id: this.me.id, text });
  }

  edit(chat: Chat, message_id: string, text: string): void {
    this.#publish({ event: 'MessageEdited', chat_id: chat.id, message_id, text });
  }

  addTask(chat: Chat, title: string): void {
    this.#publish({ event: 'StatusChanged', chat_id: chat.id, task_id: `T-${newId()}`, status: 'open', title });
  }

  changeTask(chat: Chat, task_id: string, status: string): void {
    this.#publish({ event: 'StatusChanged', chat_id: chat.id, task_id, status });
  }

  /** Sent only over an open connection: later it would not be true. */
  typing(chat: Chat): void {
    if (chat.isLive) this.client.sendEvent('chat.typing', { chat_id: chat.id }).catch(() => {}); // It may be lost.
  }

  #publish(event: object): void {
    this.publish(event).catch(error => toast(`Not published: ${wordsOf(error)}`, 'bad'));
  }

  async #load(): Promise<void> {
    const { chats, notifications, commands } = await this.#ask<WorkspaceContent>('GET', '/api/workspace');
    Object.assign(this, { notifications, commands });
    for (const { chat_id, title } of chats) {
      const chat = this.#add(chat_id, title);
      if (!chat.isMuted) this.subscribe(chat);
    }
    this.#changed();
  }

  #add(id: string, title: string): Chat {
    const known = this.chats.get(id);
    if (known !== undefined) return known;
    const chat = new Chat(id, title, this.client.room(`chat:${id}`));
    this.chats.set(id, chat);
    const load = () => chat.load(this.#ask('GET', `/api/chats/${encodeURIComponent(id)}`)).then(this.#changed);
    chat.room.onStateChange(({ state, error }) => {
      if (state === 'joined') void load();
      // Without an error it ended with the session, and is requested in the next one.
      if (state === 'left' && error !== undefined) this.#end(chat, 'You were removed from this chat.');
      this.#changed();
    });
    // The room has no history: the service has what the edge missed.
    chat.room.onGap(() => void load());
    return chat;
  }

  #request(chat: Chat): void {
    clearTimeout(chat.repeat);
    if (this.client.state !== 'open') return; // Requested when it is.
    chat.repeat = setTimeout(() => chat.isSubscribed && !chat.isLive && this.#request(chat), REPEAT_MS);
    // An unconfirmed request is repeated after a while, or in the next session.
    this.client.sendEvent('subscribe.chat', { chat_id: chat.id }).catch(() => {});
  }

  #end(chat: Chat, problem: string | undefined): void {
    clearTimeout(chat.repeat);
    if (chat.isSubscribed) chat.problem = problem;
    chat.isSubscribed = false;
    this.#changed();
  }

  #take(frame: Frame): void {
    const chat = this.chats.get(frame.room?.replace(/^chat:/, '') ?? '');
    if (chat === undefined) return;
    chat.take(frame);
    const isRead = chat.id === this.reading && !document.hidden;
    if (frame.type === 'chat.message.posted' && !isRead && frame.sender?.id !== this.me.id) chat.unread++;
    this.#changed();
  }

  #notify(payload: Payload | undefined): void {
    if (!isNotification(payload)) return;
    if (this.notifications.some(({ notification_id }) => notification_id === payload.notification_id)) return;
    this.notifications = [payload, ...this.notifications];
    toast(payload.text);
    this.#changed();
  }
}
