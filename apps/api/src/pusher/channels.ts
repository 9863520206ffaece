/** Answers questions of the Pusher HTTP API about channels: presence has the members, histories the cached events. */
import type { BrokerClient } from '@hubbub/broker';
import type { PusherApp } from '@hubbub/config';
import { HubbubError, isPlainObject, isRoomName } from '@hubbub/protocol';
import { appNamespace, CHANNEL_NAMESPACES, channelKind, channelOfRoom, escapeName } from '@hubbub/protocol/pusher';
import type { PresenceQueries, RosterMember } from '@hubbub/server';
import { readHistory } from '../history-page.js';
import type { NamedChannel } from './event-requests.js';

export interface ChannelParts {
  readonly presence: PresenceQueries | undefined;
  readonly brokerClient: Pick<BrokerClient, 'history' | 'namespaces'>;
}

type Attributes = Record<string, unknown>;

const PAGE_SIZE = 1000;

export class Channels {
  readonly #parts: ChannelParts;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
  }

  /** The occupied channels of an app. @throws {HubbubError} `INVALID_PAYLOAD`, `UNAVAILABLE` */
  async occupied(app: PusherApp, prefix: string, info: readonly string[]): Promise<Record<string, Attributes>> {
    if (info.includes('user_count') && !prefix.startsWith('presence-')) {
      throw new HubbubError('INVALID_PAYLOAD', 'info: user_count needs filter_by_prefix=presence-.');
    }
    const channels: Record<string, Attributes> = {};
    for (const kind of CHANNEL_NAMESPACES) {
      const rooms = `${appNamespace(app.id, kind)}:${escapeName(prefix)}`;
      if (!isRoomName(rooms)) continue; // No channel has a prefix that is too long for a room.
      for await (const { room_id: room, count } of this.#rooms(rooms)) {
        channels[channelOfRoom(room)] = info.includes('user_count') ? { user_count: count } : {};
      }
    }
    return channels;
  }

  /** @throws {HubbubError} `INVALID_PAYLOAD`, `UNAVAILABLE` */
  async describe(app: PusherApp, { channel, room }: NamedChannel, info: readonly string[]): Promise<Attributes> {
    if (info.includes('user_count') && !channelKind(channel)?.isPresence) {
      throw new HubbubError('INVALID_PAYLOAD', 'info: only presence channels have user_count.');
    }
    const { count } = await this.#presence().roster(room, { limit: 1 });
    return { occupied: count > 0, ...(await this.attributes(app, { channel, room }, info)) };
  }

  /** Those of the attributes that the channel has. @throws {HubbubError} `UNAVAILABLE` */
  async attributes(app: PusherApp, { channel, room }: NamedChannel, info: readonly string[]): Promise<Attributes> {
    const { isPresence = false, isCache = false } = channelKind(channel) ?? {};
    const attributes: Attributes = {};
    if (info.includes('user_count') && isPresence) {
      attributes.user_count = (await this.#presence().roster(room, { limit: 1 })).count;
    }
    if (info.includes('subscription_count')) {
      attributes.subscription_count = isPresence
        ? (await this.members(room)).reduce((sum, { sessions }) => sum + sessions.length, 0)
        : (await this.#presence().roster(room, { limit: 1 })).count;
    }
    if (info.includes('cache') && isCache) Object.assign(attributes, await this.#cached(app, room));
    return attributes;
  }

  /** @throws {HubbubError} `UNAVAILABLE` */
  async members(room: string): Promise<RosterMember[]> {
    const members = new Map<string, RosterMember>();
    let cursor: string | undefined;
    do {
      const page = await this.#presence().roster(room, { limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) });
      for (const member of page.users) members.set(member.id, member); // Pages may repeat one.
      cursor = page.next;
    } while (cursor !== undefined);
    return [...members.values()];
  }

  async *#rooms(prefix: string) {
    let cursor: string | undefined;
    do {
      const page = await this.#presence().rooms({ prefix, limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) });
      yield* page.rooms;
      cursor = page.next;
    } while (cursor !== undefined);
  }

  async #cached({ cacheTtlMs }: PusherApp, room: string): Promise<Attributes> {
    const { messages } = await readHistory(this.#parts.brokerClient, room, { limit: 1 });
    const last = messages.at(-1);
    if (last === undefined || !isPlainObject(last.payload)) return { cache: null };
    const ageMs = Date.now() - Date.parse(last.timestamp ?? '');
    return { cache: { data: last.payload.data, ttl: Math.max(0, Math.round((cacheTtlMs - ageMs) / 1000)) } };
  }

  #presence(): PresenceQueries {
    const { presence } = this.#parts;
    if (presence !== undefined) return presence;
    throw new HubbubError('UNAVAILABLE', 'This process knows no presence: set HUBBUB_PRESENCE_URL.');
  }
}
