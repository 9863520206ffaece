/** Publishes what a session says to a room: stamped with who the edge knows it is, encoded once. */
import type { Broker, History } from '@hubbub/broker';
import { type Channels, encodeEnvelope, type Frame, jsonCodec, namespaceOf } from '@hubbub/protocol';
import { msgpackCodec } from '@hubbub/protocol/msgpack';
import { type Namespaces, namespaceSettings } from '@hubbub/runtime';
import type { RoomFeeds } from './room-feeds.js';
import type { Session } from './session.js';
import { userKey } from './user-key.js';

export interface RoomPublisherParts {
  readonly broker: Broker;
  readonly history: History;
  readonly channels: Channels;
  /** What was delivered here must not be counted again by a Redis that came back with older data. */
  readonly feeds: Pick<RoomFeeds, 'of'>;
  readonly namespaces: Namespaces;
}

type Said = Pick<Frame, 'type' | 'payload' | 'id'>;

export class RoomPublisher {
  readonly #parts: RoomPublisherParts;

  constructor(parts: RoomPublisherParts) {
    this.#parts = parts;
  }

  /**
   * A message: goes through the room's history where it has one. Resolves when the bus has taken it, with its offset there.
   * @param isRetryable whether the client chose the `id` of the frame and may send it again
   * @throws {HubbubError} `UNAVAILABLE`: it is not known whether it was published.
   */
  async send(session: Session, room: string, frame: Said, isRetryable: boolean): Promise<number | undefined> {
    const { echo, historySize, historyTtlMs } = namespaceSettings(this.#parts.namespaces, namespaceOf(room));
    const envelope = envelopeOf(session, frame, echo);
    const channel = this.#parts.channels.room(room);
    if (historySize === 0) {
      await this.#parts.broker.publish(channel, envelope);
      return undefined;
    }
    const idempotencyKey = isRetryable ? { idempotencyKey: userKey(session.user.id, frame.id ?? '') } : {};
    const known = this.#parts.feeds.of(channel)?.position;
    const append = { room, channel, envelope, known, size: historySize, ttlMs: historyTtlMs, ...idempotencyKey };
    return (await this.#parts.history.append(append)).offset;
  }

  /** Something of the moment, kept nowhere and for the others only. @throws {HubbubError} `UNAVAILABLE` */
  tell(session: Session, room: string, frame: Said): Promise<void> {
    return this.#parts.broker.publish(this.#parts.channels.room(room), envelopeOf(session, frame, false));
  }
}

function envelopeOf(session: Session, frame: Said, echo: boolean): Uint8Array {
  const now = new Date();
  const codec = session.encoding === 'json' ? jsonCodec : msgpackCodec;
  const body = codec.encode({ ...frame, sender: session.user, timestamp: now.toISOString() });
  const header = { encoding: session.encoding, publishedAtMs: now.getTime() };
  return encodeEnvelope(echo ? header : { ...header, excludeSession: session.id }, body);
}
