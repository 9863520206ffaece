/** The actions of the page; keeps one client connected with the chosen encoding. */
import { type Frame, HubbubClient, HubbubError, type Room, type Unsubscribe } from '@hubbub/client';
import { msgpackCodec } from '@hubbub/client/msgpack';
import { followRoom, showServiceFrame } from './follow-room.js';
import { type Identity, rememberIdentity, rememberPreferences } from './remembered.js';
import { fetchToken, RawSocket, socketUrl, userIdOf } from './server.js';
import type { Chat, EncodingName } from './state/chat.js';
import type { ChatRoom, Message } from './state/chat-room.js';
import { TypingSignal } from './typing-signal.js';

export class Playground {
  readonly #typing = new TypingSignal();
  readonly #follows = new Map<string, Unsubscribe>();
  #identity: Identity | undefined;
  #client: HubbubClient | undefined;
  #socket = new RawSocket();
  #stopListening: Unsubscribe | undefined;

  constructor(readonly chat: Chat) {}

  signIn(identity: Identity): void {
    this.#identity = identity;
    this.chat.signedIn = true;
    this.chat.name = undefined;
    if ('name' in identity) {
      this.chat.me = { id: userIdOf(identity.name), name: identity.name };
      this.chat.name = identity.name;
      rememberPreferences({ name: identity.name });
    }
    rememberIdentity(identity);
    this.#open(identity);
  }

  /** Returns to the question for a name, and forgets the messages: they were another user's. */
  signOut(): void {
    this.#drop();
    this.chat.forget();
    rememberIdentity(undefined);
  }

  /** Connects now, instead of waiting or after an end. */
  connect(): void {
    void this.#client?.connect().catch(ignore);
    for (const name of this.chat.rooms.keys()) this.#join(name);
  }

  disconnect(): void {
    this.#typing.stop();
    this.#client?.close();
  }

  /** A client has one encoding: the switch needs a new one. */
  useEncoding(encoding: EncodingName): void {
    this.chat.encoding = encoding;
    rememberPreferences({ encoding });
    if (this.#identity !== undefined && this.chat.signedIn) this.#open(this.#identity);
    this.chat.changed();
  }

  enterRoom(name: string): void {
    this.chat.addRoom(name);
    this.selectRoom(name);
    if (this.#client !== undefined) this.#join(name);
  }

  leaveRoom(name: string): void {
    this.#typing.stop();
    this.#follows.get(name)?.();
    this.#follows.delete(name);
    void this.#client?.removeRoom(name).catch(error => this.#notify(error));
    this.chat.removeRoom(name);
    this.#rememberRooms();
  }

  selectRoom(name: string): void {
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
    const message = { id: randomId(), sender, own: true, text, at: new Date(), delivery: 'pending' } as const;
    void this.deliver(room, room.entries.addMessage(message));
  }

  /**
   * Sends a message, and marks on it how far it came. A second call repeats its id: where the room has a history, a message
   * that did arrive is not doubled.
   */
  async deliver(room: ChatRoom, message: Message): Promise<void> {
    message.delivery = 'pending';
    message.error = undefined;
    this.chat.changed();
    try {
      if (this.#client === undefined) throw new HubbubError('UNAVAILABLE', 'Not connected.');
      const { id, text } = message;
      await this.#client.room(room.name).send({ content: text }, id === undefined ? {} : { id });
      message.delivery = 'acked';
    } catch (error) {
      message.delivery = 'failed';
      message.error = asHubbubError(error);
    }
    this.chat.changed();
  }

  typed(room: ChatRoom): void {
    if (this.#client !== undefined) this.#typing.typed(this.#client.room(room.name));
  }

  stopTyping(): void {
    this.#typing.stop();
  }

  async copy(text: string, name: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.chat.notify(`${name}: copied.`);
    } catch {
      this.chat.notify('The browser does not allow this page to use the clipboard.');
    }
  }

  /** Sends a text as a frame, beside the SDK. The first answer with its id is its answer. */
  sendRaw(text: string): void {
    const { chat } = this;
    const frame = parseFrame(text);
    const isBinary = chat.encoding === 'msgpack';
    // Without an id an answer names no request.
    const sent = frame && { ...frame, id: frame.id ?? randomId() };
    if (sent === undefined && isBinary) chat.notify('MessagePack needs a JSON object with a type.');
    else {
      const raw = sent === undefined ? text : isBinary ? msgpackCodec.encode(sent) : JSON.stringify(sent);
      if (!this.#socket.send(raw)) chat.notify('Not connected.', 'UNAVAILABLE');
      else chat.addRequest({ direction: 'out', raw, ...(sent && { frame: sent }) });
    }
  }

  #open(identity: Identity): void {
    this.#drop();
    const { chat } = this;
    const remembered = (token: string): string => {
      chat.token = token;
      return token;
    };
    this.#socket = new RawSocket();
    const client = new HubbubClient({
      url: socketUrl(),
      token: 'token' in identity ? remembered(identity.token) : async () => remembered(await fetchToken(identity.name)),
      openTransport: this.#socket.open,
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
        chat.sessionId = client.session?.id;
        chat.changed();
      }),
      client.on('frame', tap => {
        chat.addFrame(tap);
        if (tap.direction === 'in' && tap.frame !== undefined) showServiceFrame(tap.frame, chat);
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
    for (const room of this.chat.rooms.values()) room.clearTypists();
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

  #notify(error: unknown): void {
    const { code, message } = asHubbubError(error);
    this.chat.notify(message, code);
  }
}

function asHubbubError(error: unknown): HubbubError {
  return error instanceof HubbubError ? error : new HubbubError('UNAVAILABLE', String(error), { cause: error });
}

/** `undefined` for a text that is not a frame: in JSON it is sent as it is, for the edge to refuse. */
function parseFrame(text: string): Frame | undefined {
  try {
    const frame: unknown = JSON.parse(text);
    const isFrame = typeof frame === 'object' && frame !== null && typeof Object(frame).type === 'string';
    return isFrame ? (frame as Frame) : undefined;
  } catch {
    return undefined; // Not JSON.
  }
}

/** Not crypto.randomUUID: browsers have it on https and localhost only. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), byte => byte.toString(16).padStart(2, '0')).join('');
}

/** An event of state reports the same, and the page shows it there. */
function ignore(): void {}
