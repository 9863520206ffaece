/** Publishes what a session says to a room: stamped with who the edge knows it is, encoded once. */
import type { Broker } from '@hubbub/broker';
import { type Channels, encodeEnvelope, type Frame, jsonCodec } from '@hubbub/protocol';
import { msgpackCodec } from '@hubbub/protocol/msgpack';
import type { Session } from './session.js';

export class RoomPublisher {
  readonly #broker: Broker;
  readonly #channels: Channels;

  constructor(broker: Broker, channels: Channels) {
    this.#broker = broker;
    this.#channels = channels;
  }

  /**
   * Resolves when the bus has taken it.
   * @param echo whether the session gets its own copy
   * @throws {HubbubError} `UNAVAILABLE`
   */
  publish(
    session: Session,
    room: string,
    frame: Pick<Frame, 'type' | 'payload' | 'id'>,
    { echo }: { echo: boolean },
  ): Promise<void> {
    const now = new Date();
    const codec = session.encoding === 'json' ? jsonCodec : msgpackCodec;
    const body = codec.encode({ ...frame, sender: session.user, timestamp: now.toISOString() });
    const header = {
      encoding: session.encoding,
      publishedAtMs: now.getTime(),
      ...(!echo && { excludeSession: session.id }),
    };
    return this.#broker.publish(this.#channels.room(room), encodeEnvelope(header, body));
  }
}
