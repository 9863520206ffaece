/** Takes what the broker brings: finds out what it is and hands it to the feed of its room, or to its audience. */
import { type Control, decodeEnvelope, type Envelope, isEnvelope } from '@hubbub/protocol';
import type { RecoveryMetrics } from '../history/recovery-metrics.js';
import type { RoomFeeds } from '../history/room-feeds.js';
import { isForged, replaceForgedMessage } from '../history/withheld-message.js';
import type { EdgeMetrics } from '../metrics.js';
import { type Audiences, positionOf } from './audiences.js';
import { readServiceMessage } from './service-message.js';

export interface FanoutParts {
  readonly audiences: Audiences;
  readonly feeds: RoomFeeds;
  readonly metrics: Pick<EdgeMetrics, 'malformedEnvelope'>;
  readonly nodeChannel: string;
  /** Takes envelopes on this node's own channel. */
  readonly onNodeEnvelope: (envelope: Envelope) => void;
  /** Executes what services do to a room or a user. */
  readonly onControl: (channel: string, control: Control) => void;
}

/** The listener for a broker's envelopes. Never throws: what is malformed is counted and dropped (invariant 7). */
export function createFanout(parts: FanoutParts): (channel: string, bytes: Uint8Array) => void {
  const { audiences, feeds, metrics, nodeChannel, onNodeEnvelope, onControl } = parts;
  return (channel, bytes) => {
    const envelope = isEnvelope(bytes) ? decodeEnvelope(bytes) : readServiceMessage(bytes, channel === nodeChannel);
    if (envelope === undefined) return metrics.malformedEnvelope(channel);
    if (channel === nodeChannel) return onNodeEnvelope(envelope);
    if (envelope.control !== undefined) return onControl(channel, envelope.control);
    const position = positionOf(envelope);
    if (isForged(envelope, 'audience')) {
      metrics.malformedEnvelope(channel);
      if (position === undefined) return;
    }
    if (position === undefined) return audiences.deliver(channel, envelope);
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
}

/**
 * Repairs what a break of the subscription left: rooms with history read what they missed. Members of the others, and all
 * sessions, get a notice that messages may have been lost. Never silence (invariant 1).
 */
export function repairRooms(channels: readonly string[], { audiences, feeds, recovery }: RepairParts): void {
  for (const channel of channels) {
    const feed = feeds.of(channel);
    if (feed !== undefined) feed.doubt();
    else if (audiences.reportRoomGap(channel, { reason: 'no_history' })) recovery.gap('no_history');
  }
  audiences.reportSessionGap();
}
