/** All chats of the user, and the selected one: the one behind the `#` of the address. */
import type { Frame, HubbubClient } from '@hubbub/client';
import { byId } from '../../page/dom.js';
import { wordsOf } from '../../page/error-words.js';
import { toast } from '../../page/toasts.js';
import type { Bell } from './bell.js';
import { BusPanel } from './bus-panel.js';
import { showChatList } from './chat-list.js';
import { CHAT_FRAMES, ChatState } from './chat-state.js';
import { ChatView } from './chat-view.js';
import { newId, type ServiceCalls } from './service-calls.js';
import { Subscriptions } from './subscriptions.js';
import { TaskView } from './task-view.js';

const WIDE = matchMedia('(min-width: 761px)');
const TYPING_EVERY_MS = 3000;

export class Workspace {
  readonly #client: HubbubClient;
  readonly #service: ServiceCalls;
  readonly #bell: Bell;
  readonly #chats = new Map<string, ChatState>();
  readonly #subscriptions: Subscriptions;
  readonly #chatView: ChatView;
  readonly #taskView: TaskView;
  readonly #busPanel: BusPanel;
  readonly #muted = new Set<string>();
  #active: string | undefined;
  #isShowing = false;
  #toldTypingAtMs = Number.NEGATIVE_INFINITY;

  constructor(client: HubbubClient, service: ServiceCalls, bell: Bell) {
    this.#client = client;
    this.#service = service;
    this.#bell = bell;
    const publish = (event: object): void => void this.#publish(event);
    this.#chatView = new ChatView(service.user, {
      post: text => {
        this.#toldTypingAtMs = Number.NEGATIVE_INFINITY; // Further typing counts as new.
        publish({ event: 'MessagePosted', message_id: newId('m'), user_id: service.user.id, text, ...this.#here });
      },
      edit: (message_id, text) => publish({ event: 'MessageEdited', message_id, text, ...this.#here }),
      typing: () => this.#tellTyping(),
    });
    this.#taskView = new TaskView({
      change: (task_id, status) => publish({ event: 'StatusChanged', task_id, status, ...this.#here }),
      add: title => publish({ event: 'StatusChanged', task_id: newId('T'), title, status: 'open', ...this.#here }),
    });
    this.#busPanel = new BusPanel(service);
    this.#subscriptions = new Subscriptions(client, {
      opened: chatId => void this.#loadChat(chatId),
      changed: (chatId, problem) => {
        const chat = this.#chats.get(chatId);
        if (chat !== undefined && problem !== undefined) chat.problem = problem;
        this.#show();
      },
    });
    bell.onOpen(() => void service.readNotifications().catch(error => toast(wordsOf(error), 'bad')));
    bell.onChat(chatId => {
      location.hash = chatId;
    });
    this.#listen();
  }

  /** Loads the state from the service. @throws {Error} with words for people */
  async load(): Promise<void> {
    const { chats, notifications, commands } = await this.#service.workspace();
    for (const { chat_id, title } of chats) this.#add(chat_id, title);
    this.#bell.replace(notifications);
    this.#busPanel.offer(commands);
  }

  begin(): void {
    byId('me', HTMLElement).textContent = this.#service.user.name;
    void this.#client.connect();
    this.#subscribe();
    const first = [...this.#chats.keys()][0];
    if (location.hash === '' && WIDE.matches && first !== undefined) history.replaceState(null, '', `#${first}`);
    this.#follow();
  }

  get #here(): { readonly chat_id: string } {
    return { chat_id: this.#active ?? '' };
  }

  #listen(): void {
    const client = this.#client;
    for (const type of CHAT_FRAMES) client.onFrame<string>(type, frame => this.#take(frame));
    client.onFrame<string>('notification.new', ({ payload }) => this.#bell.add(payload));
    client.onFrame<string>('notification.read', () => this.#bell.allRead());
    client.onFrame<string>('chat.added', ({ payload }) => {
      const { chat_id, title } = payload ?? {};
      if (typeof chat_id !== 'string') return;
      this.#add(chat_id, typeof title === 'string' ? title : chat_id);
      this.#subscriptions.subscribe(chat_id);
      this.#show();
    });
    client.on('state', ({ state, previous }) => {
      // The service has the user's messages of the meantime. If it is away too, the badge shows that.
      if (state === 'open' && previous === 'restoring')
        this.load().then(
          () => this.#subscribe(),
          () => {},
        );
    });
    addEventListener('hashchange', () => this.#follow());
    document.addEventListener('visibilitychange', () => this.#show());
    byId('back', HTMLButtonElement).addEventListener('click', () => {
      location.hash = '';
    });
    byId('show-tasks', HTMLButtonElement).addEventListener('click', ({ currentTarget }) => {
      const isOpen = byId('workspace', HTMLElement).classList.toggle('with-side');
      if (currentTarget instanceof HTMLElement) currentTarget.setAttribute('aria-expanded', String(isOpen));
    });
    byId('subscription', HTMLButtonElement).addEventListener('click', () => void this.#toggleSubscription());
    byId('new-chat', HTMLFormElement).addEventListener('submit', event => {
      event.preventDefault();
      void this.#createChat();
    });
  }

  #add(chatId: string, title: string): void {
    if (!this.#chats.has(chatId)) this.#chats.set(chatId, new ChatState(chatId, title, () => this.#show()));
  }

  /** All but those that the user does not want to hear of. */
  #subscribe(): void {
    for (const chatId of this.#chats.keys()) if (!this.#muted.has(chatId)) this.#subscriptions.subscribe(chatId);
    this.#show();
  }

  #take(frame: Frame): void {
    const chat = this.#chats.get(frame.room?.replace(/^chat:/, '') ?? '');
    if (chat === undefined) return;
    const isNews = chat.take(frame);
    if (isNews && (chat.chatId !== this.#active || document.hidden) && frame.sender?.id !== this.#service.user.id) {
      chat.unread++;
    }
    this.#show();
  }

  async #loadChat(chatId: string): Promise<void> {
    const chat = this.#chats.get(chatId);
    try {
      await chat?.load(() => this.#service.chat(chatId));
    } catch (error) {
      if (chat !== undefined) chat.problem = `It could not be loaded: ${wordsOf(error)}`;
    }
    this.#show();
  }

  async #createChat(): Promise<void> {
    const title = byId('chat-title', HTMLInputElement);
    const members = byId('chat-members', HTMLInputElement);
    const names = members.value
      .split(',')
      .map(name => name.trim())
      .filter(name => name !== '');
    try {
      const { chat_id } = await this.#service.createChat(title.value.trim(), names);
      this.#add(chat_id, title.value.trim());
      this.#subscriptions.subscribe(chat_id);
      title.value = '';
      members.value = '';
      location.hash = chat_id;
    } catch (error) {
      toast(wordsOf(error), 'bad');
    }
  }

  async #toggleSubscription(): Promise<void> {
    const chat = this.#chats.get(this.#active ?? '');
    if (chat === undefined) return;
    chat.problem = undefined;
    if (!this.#subscriptions.wants(chat.chatId)) {
      this.#muted.delete(chat.chatId);
      this.#subscriptions.subscribe(chat.chatId);
      return;
    }
    this.#muted.add(chat.chatId);
    await this.#subscriptions.unsubscribe(chat.chatId).catch(error => toast(wordsOf(error), 'bad'));
  }

  async #publish(event: object): Promise<void> {
    try {
      await this.#service.publish(event);
    } catch (error) {
      toast(`Not published: ${wordsOf(error)}`, 'bad');
    }
  }

  /** Only now, and not when the connection is back: then it would not be true. */
  #tellTyping(): void {
    if (this.#active === undefined || !this.#subscriptions.hears(this.#active)) return;
    if (performance.now() - this.#toldTypingAtMs < TYPING_EVERY_MS) return;
    this.#toldTypingAtMs = performance.now();
    this.#client.sendEvent('chat.typing', this.#here).catch(() => {}); // Nobody misses it.
  }

  #follow(): void {
    const id = decodeURIComponent(location.hash.slice(1));
    this.#active = this.#chats.has(id) ? id : undefined;
    byId('workspace', HTMLElement).dataset.view = this.#active === undefined ? 'list' : 'talk';
    this.#toldTypingAtMs = Number.NEGATIVE_INFINITY;
    this.#busPanel.use(this.#active);
    this.#showNow();
  }

  /** Many simultaneous changes are shown once. */
  #show(): void {
    if (this.#isShowing) return;
    this.#isShowing = true;
    queueMicrotask(() => this.#showNow());
  }

  #showNow(): void {
    this.#isShowing = false;
    const chat = this.#active === undefined ? undefined : this.#chats.get(this.#active);
    byId('workspace', HTMLElement).classList.toggle('no-chat', chat === undefined);
    if (chat !== undefined) {
      if (!document.hidden) chat.unread = 0;
      const { hears, wants } = {
        hears: this.#subscriptions.hears(chat.chatId),
        wants: this.#subscriptions.wants(chat.chatId),
      };
      byId('workspace', HTMLElement).dataset.subscription = hears ? 'open' : wants ? 'asked' : 'none';
      byId('subscription', HTMLButtonElement).textContent = wants ? 'Unsubscribe' : 'Subscribe';
      this.#chatView.show(chat, hears);
      this.#taskView.show(chat.tasks);
    }
    showChatList([...this.#chats.values()], this.#active);
  }
}
