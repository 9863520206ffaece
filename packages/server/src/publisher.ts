/** Publishes: to a room through its history where its namespace has one, to users, to all, to single sessions. */
import type { Backplane } from '@hubbub/broker';
import {
  type Channels,
  type Control,
  FRAME_ID_MAX_BYTES,
  HubbubError,
  isRoomName,
  namespaceOf,
  type SessionAddress,
  USER_ID_MAX_BYTES,
  utf8Length,
} from '@hubbub/protocol';
import { Gate } from './gate.js';
import { type Addressing, encodeControl, encodePublication, type Publication } from './publication.js';

export interface PublisherOptions {
  readonly maxPending: number;
  readonly maxMessageBytes: number;
}

/** What a retry has in common with the first try. */
export type Once = Pick<Publication, 'idempotencyKey'>;

/** What became of a message. */
export interface Published {
  /** Position in the room's history, where it is one to a room that has one. */
  readonly epoch?: string;
  readonly offset?: number;
  /** Where there is a history or a key. True when the key was known: this is the first one's position, and nothing was published. */
  readonly repeated?: boolean;
}

export class Publisher {
  readonly #bus: Backplane;
  readonly #channels: Channels;
  readonly #gate: Gate;
  readonly #maxMessageBytes: number;

  constructor(bus: Backplane, channels: Channels, { maxPending, maxMessageBytes }: PublisherOptions) {
    this.#bus = bus;
    this.#channels = channels;
    this.#gate = new Gate(maxPending);
    this.#maxMessageBytes = maxMessageBytes;
  }

  async toRoom(room: string, message: Publication): Promise<Published> {
    const channel = this.#roomChannel(room);
    const envelope = encodePublication(message, this.#maxMessageBytes);
    const idempotencyKey = idempotencyKeyOf(message);
    return await this.#gate.pass(async () => {
      const { historySize, historyTtlMs } = await this.#bus.namespaces.lookup(namespaceOf(room));
      if (historySize === 0) return await this.#send(channel, envelope, idempotencyKey);
      return await this.#bus.history.append({
        room,
        channel,
        envelope,
        size: historySize,
        ttlMs: historyTtlMs,
        ...(idempotencyKey !== undefined && { idempotencyKey }),
      });
    });
  }

  async toUser(userId: string, message: Publication): Promise<Published> {
    const envelope = encodePublication(message, this.#maxMessageBytes);
    return await this.#publish(this.#userChannel(userId), envelope, idempotencyKeyOf(message));
  }

  async toAll(message: Publication): Promise<Published> {
    const envelope = encodePublication(message, this.#maxMessageBytes);
    return await this.#publish(this.#channels.broadcast, envelope, idempotencyKeyOf(message));
  }

  /** To one session, naming `room` in the frame. */
  async toSession(session: SessionAddress, message: Publication, room?: string): Promise<void> {
    const to: Addressing = { sessions: [session.id], ...(room !== undefined && { room }) };
    const envelope = encodePublication(message, this.#maxMessageBytes, to);
    await this.#publish(this.#channels.node(session.node), envelope, idempotencyKeyOf(message));
  }

  async controlRoom(room: string, control: Control, once: Once = {}): Promise<Published> {
    return await this.#publish(this.#roomChannel(room), encodeControl(control), idempotencyKeyOf(once));
  }

  async controlUser(userId: string, control: Control, once: Once = {}): Promise<Published> {
    return await this.#publish(this.#userChannel(userId), encodeControl(control), idempotencyKeyOf(once));
  }

  async controlSession(session: SessionAddress, room: string, control: Control): Promise<void> {
    this.#roomChannel(room);
    await this.#publish(this.#channels.node(session.node), encodeControl(control, [session.id]));
  }

  #publish(channel: string, envelope: Uint8Array, idempotencyKey?: string): Promise<Published> {
    return this.#gate.pass(() => this.#send(channel, envelope, idempotencyKey));
  }

  async #send(channel: string, envelope: Uint8Array, idempotencyKey: string | undefined): Promise<Published> {
    if (idempotencyKey !== undefined) return await this.#bus.broker.publishOnce(channel, envelope, idempotencyKey);
    await this.#bus.broker.publish(channel, envelope);
    return {};
  }

  #roomChannel(room: string): string {
    if (typeof room === 'string' && isRoomName(room)) return this.#channels.room(room);
    throw new HubbubError('INVALID_ROOM', `No room name: ${JSON.stringify(room)}`);
  }

  #userChannel(userId: string): string {
    if (typeof userId === 'string' && userId !== '' && utf8Length(userId) <= USER_ID_MAX_BYTES) {
      return this.#channels.user(userId);
    }
    throw new HubbubError('INVALID_FORMAT', `userId: expected 1 to ${USER_ID_MAX_BYTES} bytes of text`);
  }
}

/** Keys of services and those of clients' frames cannot meet: the latter have a `/`. */
function idempotencyKeyOf({ idempotencyKey }: Once): string | undefined {
  if (idempotencyKey === undefined) return undefined;
  const max = 2 * FRAME_ID_MAX_BYTES;
  if (typeof idempotencyKey === 'string' && idempotencyKey !== '' && utf8Length(idempotencyKey) <= max) {
    return `service:${idempotencyKey}`;
  }
  throw new HubbubError('INVALID_FORMAT', `idempotencyKey: expected 1 to ${max} bytes of text`);
}
