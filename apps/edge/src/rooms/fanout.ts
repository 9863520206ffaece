/** From the bus to the sockets: finds whom an envelope is for and hands its bytes to the native topics. */
import { type Control, decodeEnvelope, type Envelope, isEnvelope, jsonCodec, type Position } from '@hubbub/protocol';
import type { RecoveryMetrics } from '../history/recovery-metrics.js';
import type { RoomFeeds } from '../history/room-feeds.js';
import type { Gap } from '../history/room-position.js';
import { isForged, isLeftOut, roomOffsetFrame, withoutForgery } from '../history/withheld-message.js';
import type { EdgeMetrics } from '../metrics.js';
import type { Sessions } from '../sessions/sessions.js';
import type { PublishToTopic } from './audience.js';
import type { Memberships } from './memberships.js';
import { readServiceMessage } from './service-message.js';

export interface FanoutParts {
  readonly memberships: Memberships;
  readonly feeds: RoomFeeds;
  readonly recovery: RecoveryMetrics;
  readonly sessions: Sessions;
  readonly metrics: EdgeMetrics;
  readonly publish: PublishToTopic;
  /** Envelopes on this node's own channel. */
  readonly onNodeEnvelope: (envelope: Envelope) => void;
  readonly nodeChannel: string;
  /** Controls of services for a room or a user. */
  readonly onControl: (channel: string, control: Control) => void;
}

/** The listener for a broker's envelopes. Never throws: what is malformed is counted and dropped (invariant 7). */
export function createFanout(parts: FanoutParts): (channel: string, bytes: Uint8Array) => void {
  const { memberships, feeds, sessions, metrics, publish } = parts;

  const deliver = (channel: string, envelope: Envelope): void => {
    const audience = memberships.audienceOf(channel);
    if (audience === undefined) return; // The last member has just left; the subscription lingers.
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
  };
  feeds.listen({ deliver, tellGap: (channel, gap) => tellGap(channel, gap, parts) });

  return (channel, bytes) => {
    const envelope = isEnvelope(bytes)
      ? decodeEnvelope(bytes)
      : readServiceMessage(bytes, channel === parts.nodeChannel);
    if (envelope === undefined) return metrics.malformedEnvelope(channel);
    if (channel === parts.nodeChannel) return parts.onNodeEnvelope(envelope);
    if (envelope.control !== undefined) return parts.onControl(channel, envelope.control);
    const position = positionOf(envelope);
    if (isForged(envelope, 'audience')) {
      metrics.malformedEnvelope(channel);
      if (position === undefined) return;
    }
    if (position === undefined) return deliver(channel, envelope);
    const feed = feeds.of(channel);
    // Without a feed nobody is here; or the namespace has a history elsewhere but not in this edge's configuration.
    const message = withoutForgery({ ...envelope, ...position });
    if (feed === undefined) deliver(channel, message);
    else feed.arrived(message);
  };
}

function positionOf({ epoch, offset }: Envelope): Position | undefined {
  return epoch === undefined || offset === undefined ? undefined : { epoch, offset };
}

/**
 * Repairs what a break of the subscription left: rooms with history read what they missed. The members of the others, and all
 * sessions for what came to no room, get a notice that messages may have been lost. Never silence (invariant 1).
 */
export function mendRooms(channels: readonly string[], parts: GapParts): void {
  for (const channel of channels) {
    const feed = parts.feeds.of(channel);
    if (feed !== undefined) feed.doubt();
    else if (parts.memberships.audienceOf(channel)?.room !== undefined) {
      parts.recovery.gap('no_history');
      tellGap(channel, { reason: 'no_history' }, parts);
    }
  }
  // One frame for all sessions: what was for users, for all or for single sessions has no history.
  const body = jsonCodec.encode({ type: 'session_gap', timestamp: new Date().toISOString() });
  parts.memberships.everybody.deliver({ encoding: 'json', body, except: [] }, parts.publish);
}

type GapParts = Pick<FanoutParts, 'memberships' | 'feeds' | 'recovery' | 'publish'>;

function tellGap(channel: string, { reason, position }: Gap, { memberships, publish }: Omit<GapParts, 'feeds'>): void {
  const audience = memberships.audienceOf(channel);
  if (audience?.room === undefined) return;
  const payload = { room_id: audience.room, reason, ...position };
  const body = jsonCodec.encode({ type: 'room_gap', payload, timestamp: new Date().toISOString() });
  audience.deliver({ encoding: 'json', body, except: [] }, publish);
}
