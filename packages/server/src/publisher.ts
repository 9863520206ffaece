/** Publishes: to a room through its history where its namespace has one, to users, to all, to single sessions. */
import type { BrokerClient } from '@hubbub/broker';
import {
  type Channels,
  type Control,
  FRAME_ID_MAX_BYTES,
  namespaceOf,
  type PayloadSchemas,
  type SessionAddress,
  validatePayload,
} from '@hubbub/protocol';
import { type CallOptions, limitPublish } from './calls.js';
import { fieldsOf, roomName, sessionAddress, text, userId } from './checks.js';
import type { Gate } from './gate.js';
import { type Addressing, encodeControl, encodePublication, type Publication } from './publication.js';

export interface PublisherOptions {
  readonly gate: Gate;
  readonly maxMessageBytes: number;
  /** Schemas of payloads, by type. */
  readonly schemas: PayloadSchemas;
  /** Of messages without one. */
  readonly traceparent: () => string | undefined;
}

/** The fields that a retry shares with the first attempt. */
export type Once = Pick<Publication, 'idempotencyKey'>;

/** The outcome of a publish. */
export interface Published {
  /** Position in the room's history, where it is one to a room that has one. */
  readonly epoch?: string;
  readonly offset?: number;
  /** Where there is a history or a key. True when the key was known: this is the first one's position, and nothing was published. */
  readonly repeated?: boolean;
}

export class Publisher {
  readonly #brokerClient: BrokerClient;
  readonly #channels: Channels;
  readonly #gate: Gate;
  readonly #maxMessageBytes: number;
  readonly #schemas: PayloadSchemas;
  readonly #traceparent: () => string | undefined;

  constructor(brokerClient: BrokerClient, channels: Channels, options: PublisherOptions) {
    const { gate, maxMessageBytes, schemas, traceparent } = options;
    this.#brokerClient = brokerClient;
    this.#channels = channels;
    this.#gate = gate;
    this.#maxMessageBytes = maxMessageBytes;
    this.#schemas = schemas;
    this.#traceparent = traceparent;
  }

  async toRoom(room: string, message: Publication, options: CallOptions = {}): Promise<Published> {
    const channel = this.#roomChannel(room);
    const envelope = this.#encode(message);
    const idempotencyKey = idempotencyKeyOf(message);
    return await this.#send(options, async beginSending => {
      const { historySize, historyTtlMs, durable } = await this.#brokerClient.namespaces.lookup(namespaceOf(room));
      beginSending();
      if (historySize === 0) return await this.#toChannel(channel, envelope, idempotencyKey);
      return await this.#brokerClient.history.append({
        room,
        channel,
        envelope,
        size: historySize,
        ttlMs: historyTtlMs,
        durable,
        ...(idempotencyKey !== undefined && { idempotencyKey }),
      });
    });
  }

  async toUser(userId: string, message: Publication, options?: CallOptions): Promise<Published> {
    return await this.#publish(this.#userChannel(userId), this.#encode(message), message, options);
  }

  async toAll(message: Publication, options?: CallOptions): Promise<Published> {
    return await this.#publish(this.#channels.broadcast, this.#encode(message), message, options);
  }

  /** To one session, naming `room` in the frame. */
  async toSession(
    session: SessionAddress,
    message: Publication,
    room?: string,
    options?: CallOptions,
  ): Promise<Published> {
    const { id, node } = sessionAddress(session);
    const to: Addressing = { sessions: [id], ...(room !== undefined && { room: roomName(room) }) };
    return await this.#publish(this.#channels.node(node), this.#encode(message, to), message, options);
  }

  /** @throws {HubbubError} `INVALID_PAYLOAD` where a schema refuses the payload; as `encodePublication` */
  #encode(message: Publication, to?: Addressing): Uint8Array {
    validatePayload(this.#schemas, message?.type, message?.payload);
    const traceparent = message?.traceparent ?? this.#currentTraceparent();
    return encodePublication(
      traceparent === undefined ? message : { ...message, traceparent },
      this.#maxMessageBytes,
      to,
    );
  }

  #currentTraceparent(): string | undefined {
    try {
      return this.#traceparent();
    } catch {
      return undefined; // Tracing loses no message.
    }
  }

  async controlRoom(room: string, control: Control, once: Once = {}): Promise<Published> {
    return await this.#control(this.#roomChannel(room), encodeControl(control), idempotencyKeyOf(once));
  }

  async controlUser(userId: string, control: Control, once: Once = {}): Promise<Published> {
    return await this.#control(this.#userChannel(userId), encodeControl(control), idempotencyKeyOf(once));
  }

  async controlSession(session: SessionAddress, room: string, control: Control): Promise<void> {
    roomName(room);
    const { id, node } = sessionAddress(session);
    await this.#control(this.#channels.node(node), encodeControl(control, [id]));
  }

  /** Kept for edges that do not hear it: a user who was disconnected must not stay because an edge lost Redis for a second. */
  #control(channel: string, envelope: Uint8Array, idempotencyKey?: string): Promise<Published> {
    return this.#gate.pass(() => this.#brokerClient.broker.publishKept(channel, envelope, idempotencyKey));
  }

  async #publish(channel: string, envelope: Uint8Array, once: Once, options: CallOptions = {}): Promise<Published> {
    const idempotencyKey = idempotencyKeyOf(once);
    return await this.#send(options, async beginSending => {
      beginSending();
      return await this.#toChannel(channel, envelope, idempotencyKey);
    });
  }

  /** A call that was given up still counts as pending until Redis has answered. */
  #send(options: CallOptions, publish: (beginSending: () => void) => Promise<Published>): Promise<Published> {
    return limitPublish(options, beginSending => this.#gate.pass(() => publish(beginSending)));
  }

  async #toChannel(channel: string, envelope: Uint8Array, idempotencyKey: string | undefined): Promise<Published> {
    if (idempotencyKey !== undefined)
      return await this.#brokerClient.broker.publishOnce(channel, envelope, idempotencyKey);
    await this.#brokerClient.broker.publish(channel, envelope);
    return {};
  }

  #roomChannel(room: string): string {
    return this.#channels.room(roomName(room));
  }

  #userChannel(user: string): string {
    return this.#channels.user(userId('userId', user));
  }
}

/** Keys of services and those of clients' frames cannot meet: the latter have a `/`. */
function idempotencyKeyOf(once: Once): string | undefined {
  const { idempotencyKey } = fieldsOf('options', once);
  if (idempotencyKey === undefined) return undefined;
  return `service:${text('idempotencyKey', idempotencyKey, 2 * FRAME_ID_MAX_BYTES)}`;
}
