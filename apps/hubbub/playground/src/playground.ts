/** The actions of the page; keeps one client connected as the switches are set. */
import { HubbubClient, type Room, type Unsubscribe } from '@hubbub/client';
import { msgpackCodec } from '@hubbub/client/msgpack';
import { socketUrl } from './address.js';
import { asHubbubError, deliver, frameId } from './deliver.js';
import { fetchToken, userIdOf } from './fetch-token.js';
import { followRoom, showServiceFrame } from './follow-room.js';
import { type Identity, rememberIdentity, rememberPreferences } from './remembered.js';
import type { Chat, EncodingName } from './state/chat.js';
import type { ChatRoom } from './state/chat-room.js';
import type { Message } from './state/entries.js';
import { TypingSignal } from './typing-signal.js';

export class Playground {
  readonly chat: Chat;
  readonly #typing = new TypingSignal();
  readonly #follows = new Map<string, Unsubscribe>();
  #identity: Identity | undefined;
  #client: HubbubClient | undefined;
  #stopListening: Unsubscribe | undefined;

  constructor(chat: Chat) {
    this.chat = chat;
  }

  signIn(identity: Identity): void {
    this.#identity = identity;
    this.chat.signedIn = true;
    if ('name' in identity) {
      this.chat.me = { id: userIdOf(identity.name), name: identity.name };
      rememberPreferences({ name: identity.name });
    }
    rememberIdentity(identity);
    this.#open(identity);
  }

  /** Returns to the question for a name, and forgets the messages: they were another user's. */
  signOut(): void {
    this.#drop();
    const names = [...this.chat.rooms.keys()];
    const active = this.chat.activeRoom;
    this.chat.rooms.clear();
    for (const name of names) this.chat.addRoom(name);
    this.chat.activeRoom = active;
    this.chat.frames.clear();
    this.chat.connection = { state: 'idle' };
    this.chat.me = undefined;
    this.chat.signedIn = false;
    rememberIdentity(undefined);
    this.chat.changed();
  }

  /** Connects now, be it instead of waiting or after an end. */
  connect(): void {
    void this.#client?.connect().catch(ignore);
    for (const name of this.chat.rooms.keys()) this.#join(name);
  }

  disconnect(): void {
    this.#typing.stop();
    this.#client?.close();
  }

  /** A client speaks one encoding: the switch takes a new one. */
  useEncoding(encoding: EncodingName): void {
    this.chat.encoding = encoding;
    rememberPreferences({ encoding });
    if (this.#identity !== undefined && this.chat.signedIn) this.#open(this.#identity);
    this.chat.changed();
  }

  enterRoom(name: string): void {
    this.chat.addRoom(name);
    this.lookAt(name);
    if (this.#client !== undefined) this.#join(name);
  }

  leaveRoom(name: string): void {
    this.#typing.stop();
    this.#follows.get(name)?.();
    this.#follows.delete(name);
    void this.#client?.removeRoom(name).catch(error => this.#tell(error));
    this.chat.removeRoom(name);
    this.#rememberRooms();
  }

  lookAt(name: string): void {
    if (this.chat.activeRoom !== name) this.#typing.stop();
    this.chat.activeRoom = name;
    this.markRead();
    this.#rememberRooms();
    this.chat.changed();
  }

  /** The user sees the active room. */
  markRead(): void {
    const { active } = this.chat;
    if (active === undefined || active.unread === 0 || document.hidden) return;
    active.unread = 0;
    this.chat.changed();
  }

  say(room: ChatRoom, text: string): void {
    this.#typing.stop();
    const sender = this.chat.me ?? { id: '', name: 'You' };
    const id = frameId();
    const message = room.entries.addMessage({ id, sender, own: true, text, at: new Date(), delivery: 'pending' });
    void deliver(this.#client, room, message, this.chat.changed);
  }

  /** With the id it had: where the room has a history, a message that did arrive is not doubled. */
  retry(room: ChatRoom, message: Message): void {
    void deliver(this.#client, room, message, this.chat.changed);
  }

  typed(room: ChatRoom): void {
    if (this.#client !== undefined) this.#typing.typed(this.#client.room(room.name));
  }

  stopTyping(): void {
    this.#typing.stop();
  }

  #open(identity: Identity): void {
    this.#drop();
    const { chat } = this;
    const client = new HubbubClient({
      url: socketUrl(),
      token: 'token' in identity ? identity.token : () => fetchToken(identity.name),
      ...(chat.encoding === 'msgpack' && { codec: msgpackCodec }),
    });
    const stops = [
      client.on('state', ({ delayMs, ...change }) => {
        chat.connection = {
          ...change,
          hadSession: client.session !== undefined,
          ...(delayMs !== undefined && { retryAtMs: performance.now() + delayMs }),
        };
        chat.me = client.session?.user ?? chat.me;
        chat.changed();
      }),
      client.on('frame', tap => {
        chat.frames.add(tap);
        if (tap.direction === 'in' && tap.frame !== undefined) showServiceFrame(tap.frame, chat);
        chat.changed();
      }),
    ];
    this.#stopListening = () => {
      for (const stop of stops) stop();
    };
    this.#client = client;
    this.connect();
  }

  /** Ends the client without a notice on the page: what follows is not a loss. */
  #drop(): void {
    this.#typing.stop();
    for (const stop of this.#follows.values()) stop();
    this.#follows.clear();
    this.#stopListening?.();
    this.#client?.close();
    this.#client = undefined;
    for (const room of this.chat.rooms.values()) room.typists.clear();
  }

  #join(name: string): void {
    const room = this.#client?.room(name);
    if (room === undefined) return;
    const shown = this.chat.addRoom(name);
    this.#follow(room, shown);
    shown.error = undefined;
    void room.join().catch(ignore);
  }

  #follow(room: Room, shown: ChatRoom): void {
    if (!this.#follows.has(room.name)) this.#follows.set(room.name, followRoom(room, shown, this.chat));
  }

  #rememberRooms(): void {
    rememberPreferences({ rooms: [...this.chat.rooms.keys()], activeRoom: this.chat.activeRoom ?? '' });
  }

  #tell(error: unknown): void {
    const { code, message } = asHubbubError(error);
    this.chat.notify(message, code);
  }
}

/** The page hears the same as an event of state, and shows it there. */
function ignore(): void {}
