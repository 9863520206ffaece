/** From the bus to the sockets: finds whom an envelope is for and hands its bytes to the native topics. */
import { type Control, decodeEnvelope, type Envelope, isEnvelope, jsonCodec } from '@hubbub/protocol';
import type { PublishToTopic } from './audience.js';
import type { Memberships } from './memberships.js';
import type { EdgeMetrics } from './metrics.js';
import { readServiceMessage } from './service-message.js';
import type { Sessions } from './sessions.js';

export interface FanoutParts {
  readonly memberships: Memberships;
  readonly sessions: Sessions;
  readonly metrics: EdgeMetrics;
  readonly publish: PublishToTopic;
  /** Envelopes on this node's own channel. */
  readonly onNodeEnvelope: (envelope: Envelope) => void;
  readonly nodeChannel: string;
  /** What services do to a room or a user. */
  readonly onControl: (channel: string, control: Control) => void;
}

/**
 * Tells the members of every room among `channels` that messages may have been lost on the way here: never silence
 * (invariant 1).
 */
export function tellGaps(
  channels: readonly string[],
  { memberships, publish }: Pick<FanoutParts, 'memberships' | 'publish'>,
): void {
  const timestamp = new Date().toISOString();
  for (const channel of channels) {
    const audience = memberships.audienceOf(channel);
    if (audience?.room === undefined) continue;
    const body = jsonCodec.encode({ type: 'room_gap', payload: { room_id: audience.room }, timestamp });
    audience.deliver({ encoding: 'json', body, except: undefined }, publish);
  }
}

/** The listener for a broker's envelopes. Never throws: what is malformed is counted and dropped (invariant 7). */
export function createFanout(parts: FanoutParts): (channel: string, bytes: Uint8Array) => void {
  const { memberships, sessions, metrics } = parts;
  return (channel, bytes) => {
    const envelope = isEnvelope(bytes) ? decodeEnvelope(bytes) : readServiceMessage(bytes);
    if (envelope === undefined) return metrics.malformedEnvelope(channel);
    if (channel === parts.nodeChannel) return parts.onNodeEnvelope(envelope);
    if (envelope.control !== undefined) return parts.onControl(channel, envelope.control);
    const audience = memberships.audienceOf(channel);
    if (audience === undefined) return; // The last member has just left; the subscription lingers.
    const except = audience.memberAmong(sessions, envelope.excludeSession);
    const delivered = audience.deliver({ encoding: envelope.encoding, body: envelope.body, except }, parts.publish);
    if (delivered === undefined) return metrics.malformedEnvelope(channel);
    metrics.delivered(delivered, envelope.body.length, envelope.publishedAtMs);
  };
}
