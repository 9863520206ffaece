/** What comes on this node's own channel: frames for single sessions or their end, and the echo of the self-probe. */
import { CLOSE_CODES, type Envelope, roomPrefix, spliceRoom } from '@hubbub/protocol';
import type { Memberships } from './memberships.js';
import type { EdgeMetrics } from './metrics.js';
import { sendAway } from './room-control.js';
import type { Session } from './session.js';
import type { Sessions } from './sessions.js';
import { transcode } from './transcode.js';

export interface NodeChannelParts {
  readonly channel: string;
  readonly sessions: Sessions;
  readonly memberships: Pick<Memberships, 'leave'>;
  readonly metrics: EdgeMetrics;
  readonly onProbe: (number: number) => void;
}

export function createNodeChannel({
  channel,
  sessions,
  memberships,
  metrics,
  onProbe,
}: NodeChannelParts): (envelope: Envelope) => void {
  /** Presence says that the users of these sessions have too many. */
  function refuse(ids: readonly string[], reason: string): void {
    let met = 0;
    for (const id of ids) {
      const session = sessions.get(id);
      if (session?.state !== 'open') continue;
      met++;
      sendAway(session, memberships, CLOSE_CODES.SESSION_LIMIT, reason);
    }
    metrics.controlled('refuse_sessions', met);
  }

  return envelope => {
    if (envelope.probe !== undefined) return onProbe(envelope.probe);
    if (envelope.control !== undefined) {
      if (envelope.control.do !== 'refuse_sessions') return metrics.malformedEnvelope(channel);
      return refuse(envelope.sessions ?? [], envelope.control.reason ?? 'the user has too many sessions');
    }
    const frames = new Map<Session['encoding'], Uint8Array | undefined>();
    for (const id of envelope.sessions ?? []) {
      const session = sessions.get(id);
      if (session === undefined || session.state !== 'open') continue; // It left while the frame was on its way.
      if (!frames.has(session.encoding)) frames.set(session.encoding, frameFor(session.encoding, envelope));
      const frame = frames.get(session.encoding);
      if (frame === undefined) return metrics.malformedEnvelope(channel);
      session.socket.send(frame, session.encoding === 'msgpack');
    }
  };
}

function frameFor(encoding: Session['encoding'], envelope: Envelope): Uint8Array | undefined {
  const body = envelope.encoding === encoding ? envelope.body : transcode(envelope.encoding, envelope.body);
  if (body === undefined || envelope.room === undefined) return body;
  return spliceRoom(encoding, roomPrefix(encoding, envelope.room), body);
}
