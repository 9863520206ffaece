/** The rooms of the chat: those that the service lists, and those that this tab is in. */
import type { HubbubClient, Sender } from '@hubbub/client';
import { ask, hubClient, keep, kept } from '../../page/hub.js';
import { Conversation } from './conversation.js';

/** As the service lists it. */
export interface ListedRoom {
  readonly id: string;
  readonly name: string;
  readonly topic: string;
}

/** A person, and the key that keeps a tab the same person after a reload. */
export interface Identity {
  readonly user: Sender;
  readonly key: string;
}

export const FIRST_ROOM = 'chat:general';
const JOINED = 'chat:joined';

/** Signs in; with `key` as the same person as before. @throws {ServiceError} */
export async function signIn(name: string, key?: string): Promise<Identity & { readonly token: string }> {
  return await ask('POST', '/api/sign-in', { name, ...(key !== undefined && { key }) });
}

export class Rooms {
  readonly client: HubbubClient;
  readonly me: Sender;
  readonly joined = new Map<string, Conversation>();
  readonly #changed: () => void;
  #listed: readonly ListedRoom[] = [];

  /** Loads the list and connects. @throws {ServiceError} */
  static async open({ user, key }: Identity, changed: () => void): Promise<Rooms> {
    const client = await hubClient('/ws', async () => (await signIn(user.name, key)).token);
    const rooms = new Rooms(client, user, changed);
    await rooms.load();
    client.connect().catch(() => {}); // The badge shows it.
    for (const id of kept<string[]>(JOINED) ?? [FIRST_ROOM]) rooms.enter(id);
    return rooms;
  }

  private constructor(client: HubbubClient, me: Sender, changed: () => void) {
    this.client = client;
    this.me = me;
    this.#changed = changed;
    client.on('room_listed', ({ payload }) => {
      if (isListedRoom(payload?.room)) this.#add(payload.room);
    });
    client.on('state', ({ state, previous }) => {
      // Rooms may have been added meanwhile. If the service is away, the known rooms stay until the next reconnect.
      if (state === 'open' && previous === 'restoring') this.load().catch(() => {});
    });
  }

  /** Rooms that this tab is in come first. */
  get listed(): readonly ListedRoom[] {
    return [...this.#listed].sort((a, b) => +this.joined.has(b.id) - +this.joined.has(a.id));
  }

  find(id: string): ListedRoom | undefined {
    return this.#listed.find(room => room.id === id);
  }

  /** How many users are certainly online: those who are seen in rooms. */
  get present(): number {
    const rosters = [...this.joined.values()].map(({ room }) => room.roster);
    const users = new Set(rosters.flatMap(roster => roster.users.map(({ id }) => id)));
    return Math.max(users.size, ...rosters.map(({ count }) => count));
  }

  async load(): Promise<void> {
    this.#listed = (await ask<{ readonly rooms: readonly ListedRoom[] }>('GET', '/api/rooms')).rooms;
    this.#changed();
  }

  /** @throws {ServiceError} */
  async create(name: string): Promise<ListedRoom> {
    const { room } = await ask<{ readonly room: ListedRoom }>('POST', '/api/rooms', { name });
    this.#add(room);
    return room;
  }

  /** Enters a listed room. */
  enter(id: string): void {
    if (this.joined.has(id) || this.find(id) === undefined) return;
    const conversation = new Conversation(this.client.room(id), this.me, this.#changed);
    this.joined.set(id, conversation);
    this.#keepJoined();
    void conversation.open();
  }

  /** @throws {HubbubError} as `room.leave` */
  async leave(id: string): Promise<void> {
    const conversation = this.joined.get(id);
    this.joined.delete(id);
    this.#keepJoined();
    await conversation?.close();
  }

  #add(room: ListedRoom): void {
    if (this.find(room.id) === undefined) this.#listed = [...this.#listed, room];
    this.#changed();
  }

  #keepJoined(): void {
    keep(JOINED, [...this.joined.keys()]);
    this.#changed();
  }
}

function isListedRoom(value: unknown): value is ListedRoom {
  return typeof value === 'object' && value !== null && 'id' in value && 'name' in value && 'topic' in value;
}
