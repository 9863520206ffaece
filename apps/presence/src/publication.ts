/** Announcements as the broker carries them: a channel and an envelope. */
import { type Channels, type Control, type EnvelopeHeader, encodeEnvelopeHead, type Frame } from '@hubbub/protocol';
import type { Announcement, RefusedSession } from './partition/effects.js';

export interface Publication {
  readonly channel: string;
  /** The envelope is the UTF-8 of head and body: a small byte array for each message would cost more than the message. */
  readonly head: string;
  /** The same text in publications that follow each other: the store sends it once. */
  readonly body: string;
  /** The room that it reports about. Absent for answers to questions, which edges ask again. */
  readonly room?: string;
  /** Kept for an edge whose subscription is broken: published before the commit, and again where that fails. */
  readonly kept?: boolean;
}

/** The fields that all envelopes of a commit share. Named one by one below: a spread for each would cost more than the header. */
type Stamp = Pick<EnvelopeHeader, 'publishedAtMs' | 'version'>;

/** In the order given. A payload that goes to several nodes in turn is encoded once: it is the same object. */
export function publicationsOf(
  announcements: readonly Announcement[],
  channels: Channels,
  { publishedAtMs, version }: Stamp,
): Publication[] {
  const timestamp = new Date(publishedAtMs).toISOString();
  let encoded: object | undefined;
  let body = '';
  return announcements.map(announcement => {
    if (encoded !== announcement.payload) {
      encoded = announcement.payload;
      body = bodyOf(announcement, timestamp);
    }
    const { room } = announcement;
    if (announcement.to === 'room') {
      const { excludeSession } = announcement;
      const head = encodeEnvelopeHead({ encoding: 'json', publishedAtMs, version, excludeSession });
      return { channel: channels.room(room), head, body, room };
    }
    const { node, sessions, questions } = announcement;
    return {
      channel: channels.node(node),
      head: encodeEnvelopeHead({ encoding: 'json', publishedAtMs, version, sessions, questions, room }),
      body,
      ...(questions === undefined && { room }),
    };
  });
}

/** Asks the edges to end sessions above the limit of their user: one envelope for each node. */
export function refusalsOf(
  refused: readonly RefusedSession[],
  channels: Channels,
  { publishedAtMs, version }: Stamp,
  maxSessionsPerUser: number,
): Publication[] {
  const byNode = new Map<string, string[]>();
  for (const { node, session } of refused) {
    const sessions = byNode.get(node);
    if (sessions === undefined) byNode.set(node, [session]);
    else sessions.push(session);
  }
  const reason = `a user may have ${maxSessionsPerUser} sessions`;
  const control: Control = { do: 'refuse_sessions', reason };
  return Array.from(byNode, ([node, sessions]) => ({
    channel: channels.node(node),
    head: encodeEnvelopeHead({ encoding: 'json', publishedAtMs, version, sessions, control }),
    body: '',
    kept: true,
  }));
}

/** Without `room`: the edge puts it in front (docs/redis-contract.md). */
function bodyOf({ type, payload, sender }: Announcement, timestamp: string): string {
  const frame: Frame = sender === undefined ? { type, payload, timestamp } : { type, payload, sender, timestamp };
  return JSON.stringify(frame);
}
