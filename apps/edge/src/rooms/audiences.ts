/**
 * The audiences of this edge by channel. The last stage in JavaScript: hands a message to the audience of its channel, and
 * reports where messages may be missing.
 */
import { type Channels, type Envelope, type Frame, jsonCodec, type Position } from '@hubbub/protocol';
import type { Conflation } from '../conflation/conflation.js';
import type { Gap } from '../history/room-position.js';
import { isLeftOut, roomOffsetFrame } from '../history/withheld-message.js';
import type { EdgeMetrics } from '../metrics.js';
import type { Session } from '../sessions/session.js';
import type { Sessions } from '../sessions/sessions.js';
import { Audience, type PublishToTopic } from './audience.js';

export interface AudiencesParts {
  readonly channels: Channels;
  readonly sessions: Sessions;
  readonly metrics: Pick<EdgeMetrics, 'delivered' | 'malformedEnvelope'>;
  readonly publish: PublishToTopic;
  /** Returns what conflates the room if its namespace conflates. */
  readonly conflationOf: (room: string) => Conflation | undefined;
}

export class Audiences {
  readonly #parts: AudiencesParts;
  readonly #byChannel = new Map<string, Audience>();
  readonly #everybody: Audience;
  #rooms = 0;

  constructor(parts: AudiencesParts) {
    this.#parts = parts;
    const { broadcast } = parts.channels;
    this.#everybody = new Audience(broadcast);
    this.#byChannel.set(broadcast, this.#everybody);
  }

  /** Rooms with a member here. */
  get rooms(): number {
    return this.#rooms;
  }

  /** @param room unset for a user's channel and for everybody's */
  add(session: Session, channel: string, room?: string): void {
    let audience = this.#byChannel.get(channel);
    if (audience === undefined) {
      audience = new Audience(channel, room, room === undefined ? undefined : this.#parts.conflationOf(room));
      this.#byChannel.set(channel, audience);
      if (room !== undefined) this.#rooms++;
    }
    audience.add(session);
  }

  remove(session: Session, channel: string): void {
    const audience = this.#byChannel.get(channel);
    if (audience === undefined) return;
    audience.remove(session);
    if (audience.size > 0 || audience === this.#everybody) return;
    this.#byChannel.delete(channel);
    if (audience.room !== undefined) this.#rooms--;
  }

  deliver(channel: string, envelope: Envelope): void {
    const audience = this.#byChannel.get(channel);
    if (audience === undefined) return; // The last member has just left; the subscription lingers.
    const { sessions, metrics, publish } = this.#parts;
    const { encoding, body, conflationKey: key } = envelope;
    const position = positionOf(envelope);
    const except = audience.excluded(sessions, envelope);
    const { delivered, isMalformed } = audience.deliver({ encoding, body, except, position, key }, publish);
    if (isMalformed) metrics.malformedEnvelope(channel);
    if (delivered > 0 || !isMalformed) metrics.delivered(delivered, body.length, envelope.publishedAtMs);
    if (position === undefined || audience.room === undefined) return;
    for (const session of except) {
      if (isLeftOut(session, envelope)) session.send(roomOffsetFrame(audience.room, position));
    }
  }

  /** Sends `room_gap` to the members of the channel's room. Returns whether the channel has one here. */
  reportRoomGap(channel: string, { reason, position }: Gap): boolean {
    const audience = this.#byChannel.get(channel);
    if (audience?.room === undefined) return false;
    const payload = { room_id: audience.room, reason, ...position };
    this.#announce(audience, { type: 'room_gap', payload });
    return true;
  }

  /** Sends `session_gap` to all sessions: messages for users, for all or for single sessions have no history. */
  reportSessionGap(): void {
    this.#announce(this.#everybody, { type: 'session_gap' });
  }

  #announce(audience: Audience, frame: Pick<Frame, 'type' | 'payload'>): void {
    const body = jsonCodec.encode({ ...frame, timestamp: new Date().toISOString() });
    audience.deliver({ encoding: 'json', body, except: [] }, this.#parts.publish);
  }
}

export function positionOf({ epoch, offset }: Envelope): Position | undefined {
  return epoch === undefined || offset === undefined ? undefined : { epoch, offset };
}
