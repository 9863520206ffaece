/** The rooms that this tab is in, and the selected one: the one behind the `#` of the address. */
import type { HubbubClient } from '@hubbub/client';
import { byId } from '../../page/dom.js';
import { wordsOf } from '../../page/error-words.js';
import { hubClient } from '../../page/hub.js';
import { keep, kept } from '../../page/kept.js';
import { toast } from '../../page/toasts.js';
import { typingWords } from '../../page/typists.js';
import { Composer } from './composer.js';
import { Conversation } from './conversation.js';
import { type Identity, tokenOf } from './identity.js';
import { MessageList } from './message-list.js';
import { showPeople } from './people.js';
import { type ListedRoom, RoomList } from './room-list.js';

const JOINED = 'chat:joined';
const FIRST_ROOM = 'chat:general';
const WIDE = matchMedia('(min-width: 761px)');

export class ChatRooms {
  readonly #client: HubbubClient;
  readonly #identity: Identity;
  readonly #list = new RoomList();
  readonly #joined = new Map<string, Conversation>();
  readonly #messages: MessageList;
  readonly #composer: Composer;
  #active: string | undefined;
  #isShowing = false;

  static async open(identity: Identity, showConnection: (client: HubbubClient) => void): Promise<ChatRooms> {
    const client = await hubClient('/ws', () => tokenOf(identity));
    const rooms = new ChatRooms(client, identity);
    await rooms.#list.load();
    showConnection(client);
    return rooms;
  }

  private constructor(client: HubbubClient, identity: Identity) {
    this.#client = client;
    this.#identity = identity;
    this.#messages = new MessageList({ reply: message => this.#composer.reply(message) });
    this.#composer = new Composer(() => this.#messages.focusLast());
    client.on('room_listed', ({ payload }) => {
      if (isListedRoom(payload?.room)) this.#list.add(payload.room);
      this.#show();
    });
    client.on('state', ({ state, previous }) => {
      if (state !== 'open' || previous !== 'restoring') return;
      // Rooms may have been added while this page was away.
      this.#list.load().then(
        () => this.#show(),
        () => {}, // The service is away: the rooms that are known stay, and the next reconnect asks again.
      );
    });
  }

  /** Enters the rooms of before, and the one of the address. */
  async begin(): Promise<void> {
    byId('me', HTMLElement).textContent = this.#identity.user.name;
    this.#listen();
    void this.#client.connect();
    for (const id of kept<string[]>(JOINED) ?? [FIRST_ROOM]) void this.#enter(id);
    if (location.hash === '' && WIDE.matches) history.replaceState(null, '', `#${FIRST_ROOM}`);
    this.#follow();
  }

  #listen(): void {
    addEventListener('hashchange', () => this.#follow());
    document.addEventListener('visibilitychange', () => this.#show());
    byId('back', HTMLButtonElement).addEventListener('click', () => {
      location.hash = '';
    });
    byId('leave', HTMLButtonElement).addEventListener('click', () => void this.#leave());
    byId('show-people', HTMLButtonElement).addEventListener('click', ({ currentTarget }) => {
      const isOpen = byId('chat', HTMLElement).classList.toggle('with-people');
      if (currentTarget instanceof HTMLElement) currentTarget.setAttribute('aria-expanded', String(isOpen));
    });
    byId('new-room', HTMLFormElement).addEventListener('submit', async event => {
      event.preventDefault();
      const name = byId('room-name', HTMLInputElement);
      try {
        location.hash = (await this.#list.create(name.value.trim())).id;
        name.value = '';
      } catch (error) {
        toast(wordsOf(error), 'bad');
      }
    });
    addEventListener('keydown', event => {
      if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
      event.preventDefault();
      const ids = [...this.#joined.keys()];
      const step = event.key === 'ArrowUp' ? -1 : 1;
      const next = ids.at((ids.indexOf(this.#active ?? '') + step) % ids.length);
      if (next !== undefined) location.hash = next;
    });
  }

  /** Selects the room of the address. */
  #follow(): void {
    const id = decodeURIComponent(location.hash.slice(1));
    this.#active = id === '' ? undefined : id;
    byId('chat', HTMLElement).dataset.view = id === '' ? 'list' : 'talk';
    if (id !== '') {
      void this.#enter(id);
      if (WIDE.matches) this.#composer.focus();
    }
    this.#showNow();
  }

  async #enter(id: string): Promise<void> {
    if (this.#joined.has(id)) return;
    const conversation = new Conversation(this.#client.room(id), this.#identity.user, () => this.#show());
    this.#joined.set(id, conversation);
    this.#keepJoined();
    try {
      await conversation.open();
    } catch (error) {
      if (this.#client.state === 'closed') return; // The badge shows why.
      this.#joined.delete(id);
      this.#keepJoined();
      toast(`${this.#nameOf(id)} cannot be entered: ${wordsOf(error)}`, 'bad');
    }
    this.#show();
  }

  async #leave(): Promise<void> {
    const id = this.#active;
    const conversation = id === undefined ? undefined : this.#joined.get(id);
    if (id === undefined || conversation === undefined) return;
    this.#joined.delete(id);
    this.#keepJoined();
    location.hash = WIDE.matches ? ([...this.#joined.keys()][0] ?? '') : '';
    await conversation.close().catch(error => toast(wordsOf(error), 'bad'));
    this.#show();
  }

  #keepJoined(): void {
    keep(JOINED, [...this.#joined.keys()]);
  }

  #nameOf(id: string): string {
    return this.#list.rooms.find(room => room.id === id)?.name ?? id.replace(/^chat:/, '');
  }

  /** Many simultaneous changes are shown once. */
  #show(): void {
    if (this.#isShowing) return;
    this.#isShowing = true;
    queueMicrotask(() => this.#showNow());
  }

  #showNow(): void {
    this.#isShowing = false;
    const conversation = this.#active === undefined ? undefined : this.#joined.get(this.#active);
    byId('chat', HTMLElement).classList.toggle('no-room', conversation === undefined);
    if (conversation !== undefined && this.#active !== undefined) {
      byId('room-title', HTMLElement).textContent = this.#nameOf(this.#active);
      byId('room-topic', HTMLElement).textContent = this.#list.rooms.find(({ id }) => id === this.#active)?.topic ?? '';
      this.#messages.show(conversation);
      this.#composer.use(conversation, this.#nameOf(this.#active));
      showPeople(conversation, this.#identity.user);
      const typing = byId('typing', HTMLElement);
      const words = typingWords(conversation.typists.names);
      if (typing.textContent !== words) typing.textContent = words;
      if (!document.hidden) conversation.markRead();
    }
    this.#list.show(this.#joined, this.#active);
  }
}

function isListedRoom(value: unknown): value is ListedRoom {
  return typeof value === 'object' && value !== null && 'id' in value && 'name' in value && 'topic' in value;
}
