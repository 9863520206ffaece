/**
 * The fan-out of this edge: hands what the broker brings to the feed of its room, or to the audience of its channel. It
 * reports where messages may be missing.
 */
import { type Namespaces, namespaceSettings } from '@hubbub/config';
import {
  type Channels,
  type Control,
  decodeEnvelope,
  type Envelope,
  type Frame,
  hasUnsupportedVersion,
  isEnvelope,
  jsonCodec,
  namespaceOf,
  type Position,
} from '@hubbub/protocol';
import type { Span, Tracing } from '@hubbub/runtime';
import type { Accounts } from '../account/accounts.js';
import type { Conflation } from '../conflation/conflation.js';
import type { RecoveryMetrics } from '../history/recovery-metrics.js';
import type { RoomFeeds } from '../history/room-feeds.js';
import { isForged, isLeftOut, replaceForgedMessage, roomOffsetFrame } from '../history/room-message.js';
import type { Crossing, Gap } from '../history/room-position.js';
import type { EdgeMetrics } from '../metrics.js';
import type { Session } from '../sessions/session.js';
import type { Sessions } from '../sessions/sessions.js';
import { Audience, type PublishToTopic } from './audience.js';
import { RosterOrder, type RosterVerdict } from './roster-order.js';
import { readServiceMessage } from './service-message.js';

export interface AudiencesParts {
  readonly channels: Channels;
  readonly sessions: Sessions;
  readonly metrics: Pick<EdgeMetrics, 'delivered' | 'malformedEnvelope'>;
  readonly tracing: Tracing;
  readonly publish: PublishToTopic;
  /** For the rooms of namespaces that conflate. */
  readonly conflation: Conflation;
  readonly namespaces: Namespaces;
  readonly accounts: Pick<Accounts, 'gap'>;
}

export class Audiences {
  readonly #parts: AudiencesParts;
  readonly #byChannel = new Map<string, Audience>();
  readonly #everybody: Audience;
  readonly #rosterOrder = new RosterOrder();
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

  /** Members of a room here. */
  membersOf(room: string): number {
    return this.#byChannel.get(this.#parts.channels.room(room))?.size ?? 0;
  }

  /** Judges a roster of a room by the changes that clients of Pusher here got; `undefined` without a member. */
  judgeRoster(room: string, envelope: Pick<Envelope, 'encoding' | 'body'>): RosterVerdict | undefined {
    const audience = this.#byChannel.get(this.#parts.channels.room(room));
    return audience && this.#rosterOrder.judge(audience, envelope);
  }

  /** @param room unset for a user's channel and for everybody's */
  add(session: Session, channel: string, room?: string): void {
    let audience = this.#byChannel.get(channel);
    if (audience === undefined) {
      audience = new Audience(channel, room, this.#conflates(room) ? this.#parts.conflation : undefined);
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
    if (audience.hasPusherMembers) this.#rosterOrder.changed(audience, envelope);
    const { sessions, metrics, publish } = this.#parts;
    const { encoding, body, conflationKey: key } = envelope;
    const span = envelope.traceparent === undefined ? undefined : this.#startSpan(envelope.traceparent, audience);
    const position = positionOf(envelope);
    const except = audience.excluded(sessions, envelope);
    const { delivered, isMalformed } = audience.deliver({ encoding, body, except, position, key }, publish);
    if (isMalformed) metrics.malformedEnvelope(channel, span?.logFields);
    if (delivered > 0 || !isMalformed) metrics.delivered(delivered, body.length, envelope.publishedAtMs);
    span?.set({
      'hubbub.recipients': delivered,
      'hubbub.body_bytes': body.length,
      'hubbub.lag_ms': Math.max(0, Date.now() - envelope.publishedAtMs),
    });
    span?.end();
    if (position === undefined || audience.room === undefined) return;
    for (const session of except) {
      if (isLeftOut(session, envelope)) session.send(roomOffsetFrame(audience.room, position));
    }
  }

  /** Sends `room_gap` to the members of the channel's room. Returns whether the channel has one here. */
  reportRoomGap(channel: string, { reason, position }: Gap): boolean {
    const audience = this.#byChannel.get(channel);
    if (audience?.room === undefined) return false;
    this.#parts.accounts.gap({ room: audience.room }, reason);
    const payload = { room_id: audience.room, reason, ...position };
    this.#announce(audience, { type: 'room_gap', payload });
    return true;
  }

  /** Sends `room_offset` to the members of the channel's room: it continues in another epoch. */
  reportCrossing(channel: string, { previousEpoch, position }: Crossing): void {
    const audience = this.#byChannel.get(channel);
    if (audience !== undefined) {
      this.#announce(audience, { type: 'room_offset', payload: { previous_epoch: previousEpoch } }, position);
    }
  }

  /** Sends `session_gap` to the sessions of a channel: messages for users, for all or for single sessions have no history. */
  reportSessionGap(channel: string): void {
    const audience = this.#byChannel.get(channel);
    if (audience === undefined) return;
    const address = this.#parts.channels.parse(channel);
    const subject = address?.kind === 'user' ? { user: address.userId } : 'every session';
    this.#parts.accounts.gap(subject, 'interrupted');
    this.#announce(audience, { type: 'session_gap' });
  }

  /** One span for the message on this edge: nothing is recorded per recipient. */
  #startSpan(traceparent: string, { room }: Audience): Span | undefined {
    const span = this.#parts.tracing.start({ name: 'deliver', kind: 'consumer' }, traceparent);
    span?.setPersonal({ room });
    return span;
  }

  #conflates(room: string | undefined): boolean {
    return room !== undefined && namespaceSettings(this.#parts.namespaces, namespaceOf(room)).conflate;
  }

  #announce(audience: Audience, frame: Pick<Frame, 'type' | 'payload'>, position?: Position): void {
    const body = jsonCodec.encode({ ...frame, timestamp: new Date().toISOString() });
    audience.deliver({ encoding: 'json', body, except: [], position }, this.#parts.publish);
  }
}

export interface FanoutParts {
  readonly audiences: Audiences;
  readonly feeds: RoomFeeds;
  /** Also takes messages without a position, for those who are not in the audience. */
  readonly observe: ((channel: string, envelope: Envelope) => void) | undefined;
  readonly metrics: Pick<EdgeMetrics, 'malformedEnvelope' | 'unsupportedEnvelope'>;
  readonly nodeChannel: string;
  /** Takes envelopes on this node's own channel. */
  readonly onNodeEnvelope: (envelope: Envelope) => void;
  /** Executes what services do to a room or a user. */
  readonly onControl: (channel: string, control: Control) => void;
  /** A message of the channel is in a wire version that this release does not read: its members miss it. */
  readonly onUnsupported: (channel: string) => void;
}

/** The listener for a broker's envelopes. Never throws: it counts and drops malformed envelopes (invariant 7). */
export function createFanout(parts: FanoutParts): (channel: string, bytes: Uint8Array) => void {
  const { audiences, feeds, observe, metrics, nodeChannel, onNodeEnvelope, onControl, onUnsupported } = parts;
  // Self-probes through other servers have channels of their own.
  const probeChannels = `${nodeChannel.slice(0, -1)}/`;
  return (channel, bytes) => {
    const isOfNode = channel === nodeChannel || channel.startsWith(probeChannels);
    const envelope = isEnvelope(bytes) ? decodeEnvelope(bytes) : readServiceMessage(bytes, isOfNode);
    if (envelope === undefined) {
      if (!hasUnsupportedVersion(bytes)) return metrics.malformedEnvelope(channel);
      metrics.unsupportedEnvelope(channel);
      // Edges refuse questions that presence did not answer.
      return isOfNode ? undefined : onUnsupported(channel);
    }
    if (isOfNode) return onNodeEnvelope(envelope);
    if (envelope.control !== undefined) return onControl(channel, envelope.control);
    const position = positionOf(envelope);
    if (isForged(envelope, 'audience')) {
      metrics.malformedEnvelope(channel);
      if (position === undefined) return;
    }
    if (position === undefined) {
      observe?.(channel, envelope);
      return audiences.deliver(channel, envelope);
    }
    const feed = feeds.of(channel);
    // No feed: the room has no member here, or this edge's configuration gives its namespace no history.
    const message = replaceForgedMessage({ ...envelope, ...position });
    if (feed === undefined) audiences.deliver(channel, message);
    else feed.arrived(message);
  };
}

export interface RepairParts {
  readonly audiences: Audiences;
  readonly feeds: RoomFeeds;
  readonly recovery: Pick<RecoveryMetrics, 'gap'>;
  readonly broadcast: string;
  readonly nodeChannel: string;
}

/**
 * Repairs what a break of the subscription left: rooms with history read what they missed. Members of the others, and all
 * sessions whose channels broke, get a notice that messages may have been lost. Never silence (invariant 1).
 */
export function repairRooms(
  channels: readonly string[],
  { audiences, feeds, recovery, broadcast, nodeChannel }: RepairParts,
): void {
  const forAll = channels.find(channel => channel === broadcast || channel === nodeChannel);
  for (const channel of channels) {
    const feed = feeds.of(channel);
    if (feed !== undefined) feed.doubt();
    else if (audiences.reportRoomGap(channel, { reason: 'no_history' })) recovery.gap('no_history');
    else if (forAll === undefined) audiences.reportSessionGap(channel);
  }
  if (forAll !== undefined) audiences.reportSessionGap(broadcast);
}

function positionOf({ epoch, offset }: Envelope): Position | undefined {
  return epoch === undefined || offset === undefined ? undefined : { epoch, offset };
}
