/** Publishes a session's messages to a room: stamped with the user as the edge knows it, encoded once. */
import type { Broker, History } from '@hubbub/broker';
import { type Namespaces, namespaceSettings } from '@hubbub/config';
import { type Channels, encodeEnvelope, type Frame, HubbubError, namespaceOf, type Position } from '@hubbub/protocol';
import { CODECS } from '@hubbub/protocol/msgpack';
import { bodyEncoding } from '@hubbub/protocol/session-encoding';
import { inSpan, type Tracing } from '@hubbub/runtime';
import type { RoomFeeds } from '../history/room-feeds.js';
import type { PublishWindow } from '../limits/publish-window.js';
import type { Session } from '../sessions/session.js';

export interface RoomPublisherParts {
  readonly broker: Broker;
  readonly history: History;
  readonly channels: Channels;
  /** A Redis that was restored with older data must not count delivered messages again. */
  readonly feeds: Pick<RoomFeeds, 'of'>;
  readonly namespaces: Namespaces;
  readonly window: PublishWindow;
  /** Knows the wire version that this edge writes. */
  readonly presence: { readonly wireVersion: number };
  readonly tracing: Tracing;
}

type UnsentFrame = Pick<Frame, 'type' | 'payload' | 'id'>;

/** The outcome of a message that the broker has taken. */
export interface Publication {
  /** In the room's history, where it has one. */
  readonly position?: Position;
  /** The room's history had this message already: nothing was published. */
  readonly duplicate?: boolean;
}

export class RoomPublisher {
  readonly #parts: RoomPublisherParts;

  constructor(parts: RoomPublisherParts) {
    this.#parts = parts;
  }

  /**
   * A message: goes through the room's history where it has one. Resolves when the broker has taken it.
   * @param messageId of the client, which may send the message again under it
   * @throws {LimitExceeded} before anything is sent: too many publishes wait for Redis, or histories may not keep more bytes of
   * the user.
   * Rejects with `UNAVAILABLE`: not published; or with `OUTCOME_UNKNOWN`, also where a failover has lost it already.
   */
  publishMessage(session: Session, room: string, frame: UnsentFrame, messageId?: string): Promise<Publication> {
    this.#parts.window.assertOpen();
    const span = this.#parts.tracing.start({ name: 'send_message', kind: 'server' });
    if (span === undefined) return this.#publish(session, room, frame, messageId);
    span.setPersonal({ room, user: session.user.id });
    return inSpan(span, () => {
      const publishing = span.startChild({ name: 'publish', kind: 'producer' });
      return inSpan(
        publishing,
        () => this.#publish(session, room, frame, messageId, publishing.traceparent),
        ({ position, duplicate }) => ({
          'hubbub.history': position !== undefined,
          'hubbub.offset': position?.offset,
          'hubbub.repeated': duplicate,
        }),
      );
    });
  }

  #publish(
    session: Session,
    room: string,
    frame: UnsentFrame,
    messageId: string | undefined,
    traceparent?: string,
  ): Promise<Publication> {
    const { window } = this.#parts;
    const { echo, historySize, historyTtlMs, durable } = namespaceSettings(this.#parts.namespaces, namespaceOf(room));
    const { wireVersion } = this.#parts.presence;
    const envelope = envelopeOf(session, room, frame, wireVersion, echo, traceparent);
    const channel = this.#parts.channels.room(room);
    if (historySize === 0) return window.count(this.#parts.broker.publish(channel, envelope)).then(() => ({}));
    session.cost?.stored.spend(room, { size: historySize, ttlMs: historyTtlMs }, envelope.length);
    const feed = this.#parts.feeds.of(channel);
    const known = feed?.position;
    const key = idempotencyKey(session, messageId);
    const append = { room, channel, envelope, known, size: historySize, ttlMs: historyTtlMs, durable, ...key };
    return window.count(this.#parts.history.append(append)).then(({ epoch, offset, repeated }) => {
      const position = { epoch, offset };
      if (feed?.acknowledge(position) === false) {
        throw new HubbubError('OUTCOME_UNKNOWN', 'A former primary of Redis took the message, and it is lost.');
      }
      return { position, duplicate: repeated };
    });
  }

  /**
   * Something of the moment, kept nowhere and for the others only. Rejects with `UNAVAILABLE`.
   * @throws {LimitExceeded} before anything is sent: too many publishes wait for Redis
   */
  publishSignal(session: Session, room: string, frame: UnsentFrame): Promise<void> {
    const { window, broker, channels, presence } = this.#parts;
    window.assertOpen();
    const envelope = envelopeOf(session, room, frame, presence.wireVersion, false);
    return window.count(broker.publish(channels.room(room), envelope));
  }
}

/**
 * The key of a `message_id`. It contains the user's id, so that no user can use up the `message_id` of another. The length of
 * the `message_id` comes first, because both parts may hold any character.
 */
export function idempotencyKey({ user }: Session, messageId: string | undefined): { readonly idempotencyKey?: string } {
  return messageId === undefined ? {} : { idempotencyKey: `${messageId.length}/${messageId}/${user.id}` };
}

function envelopeOf(
  session: Session,
  room: string,
  frame: UnsentFrame,
  version: number,
  echo: boolean,
  traceparent?: string,
): Uint8Array {
  const now = new Date();
  const encoding = bodyEncoding(session.encoding);
  const body = CODECS[encoding].encode({ ...frame, sender: session.userIn(room), timestamp: now.toISOString() });
  const excludeSession = echo ? undefined : session.id;
  return encodeEnvelope({ encoding, publishedAtMs: now.getTime(), version, excludeSession, traceparent }, body);
}
