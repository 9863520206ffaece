/** Announcements as the bus carries them: a channel and an envelope. */
import { type Channels, encodeEnvelope, type Frame, jsonCodec } from '@hubbub/protocol';
import type { Announcement } from './partition/effects.js';

export interface Publication {
  readonly channel: string;
  readonly envelope: Uint8Array;
}

/** In the order given. A payload that goes to several nodes is encoded once: it is the same object. */
export function publicationsOf(
  announcements: readonly Announcement[],
  channels: Channels,
  nowMs: number,
): Publication[] {
  const bodies = new Map<object, Uint8Array>();
  const timestamp = new Date(nowMs).toISOString();
  return announcements.map(announcement => {
    let body = bodies.get(announcement.payload);
    if (body === undefined) {
      body = encodeBody(announcement, timestamp);
      bodies.set(announcement.payload, body);
    }
    return announcement.to === 'room'
      ? {
          channel: channels.room(announcement.room),
          envelope: encodeEnvelope(
            {
              encoding: 'json',
              publishedAtMs: nowMs,
              ...(announcement.excludeSession !== undefined && { excludeSession: announcement.excludeSession }),
            },
            body,
          ),
        }
      : {
          channel: channels.node(announcement.node),
          envelope: encodeEnvelope(
            { encoding: 'json', publishedAtMs: nowMs, sessions: announcement.sessions, room: announcement.room },
            body,
          ),
        };
  });
}

/** Without `room`: the edge puts it in front (PROTOCOL.md section 7). */
function encodeBody(announcement: Announcement, timestamp: string): Uint8Array {
  const { type, payload } = announcement;
  const id = announcement.to === 'sessions' ? announcement.frameId : undefined;
  const { sender } = announcement;
  const frame: Frame = {
    type,
    payload,
    ...(sender !== undefined && { sender }),
    timestamp,
    ...(id !== undefined && { id }),
  };
  return jsonCodec.encode(frame);
}
