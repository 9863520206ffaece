/** Handles this node's own channel: frames and controls for single sessions, and the echo of the self-probe. */
import { type Control, type Envelope, roomPrefix, spliceId } from '@hubbub/protocol';
import { bodyEncoding, transcodeFor } from '@hubbub/protocol/session-encoding';
import { isForged } from '../history/room-message.js';
import type { EdgeMetrics } from '../metrics.js';
import type { PresenceReporter } from '../presence/presence-reporter.js';
import type { RosterQuestions } from '../presence/roster-questions.js';
import type { Audiences } from '../rooms/fanout.js';
import type { RosterVerdict } from '../rooms/roster-order.js';
import type { Session } from '../sessions/session.js';
import type { Sessions } from '../sessions/sessions.js';

export interface NodeChannelParts {
  readonly channel: string;
  readonly sessions: Sessions;
  readonly questions: RosterQuestions;
  readonly audiences: Pick<Audiences, 'judgeRoster'>;
  readonly presence: Pick<PresenceReporter, 'joined'>;
  readonly metrics: EdgeMetrics;
  readonly onProbe: (number: number) => void;
  /** Returns false for what is malformed. */
  readonly onControl: (control: Control, sessions: readonly string[]) => boolean;
  readonly onExplain: (control: Control & { do: 'explain' }) => void;
  /** Moves this share of the sessions. Returns their number. */
  readonly onMove: (percent: number) => number;
}

export function createNodeChannel(parts: NodeChannelParts): (envelope: Envelope) => void {
  const { channel, sessions, questions, audiences, presence, metrics } = parts;

  return envelope => {
    if (envelope.probe !== undefined) return parts.onProbe(envelope.probe);
    if (envelope.control?.do === 'explain') return parts.onExplain(envelope.control);
    if (envelope.control?.do === 'move_sessions') {
      metrics.controlled('move_sessions', parts.onMove(envelope.control.percent));
      return;
    }
    // A frame without a recipient is a mistake of its sender.
    if (envelope.sessions === undefined) return metrics.malformedEnvelope(channel);
    if (envelope.control !== undefined) {
      if (!parts.onControl(envelope.control, envelope.sessions)) metrics.malformedEnvelope(channel);
      return;
    }
    if (isForged(envelope, 'sessions')) return metrics.malformedEnvelope(channel);
    const frames = new Map<Session['encoding'], Uint8Array | undefined>();
    let isAccepted: RosterVerdict | undefined;
    for (const [index, id] of envelope.sessions.entries()) {
      const session = sessions.get(id);
      if (session === undefined && envelope.questions !== undefined) {
        const question = questions.take(envelope.questions[index] ?? 0, id);
        question?.session.answered?.(question, envelope);
        continue;
      }
      if (session === undefined || session.state !== 'open') continue; // It left while the frame was on its way.
      if (!frames.has(session.encoding)) frames.set(session.encoding, frameFor(session.encoding, envelope));
      const body = frames.get(session.encoding);
      if (body === undefined) continue; // A question that cannot be answered so is refused in its time.
      if (session.encoding !== 'json' && session.encoding !== 'msgpack') {
        const { room } = envelope;
        if (room !== undefined && !session.rooms.has(room)) continue;
        if (room !== undefined && session.encoding === 'pusher') {
          isAccepted ??= audiences.judgeRoster(room, envelope);
          if (isAccepted?.(session) === false) {
            presence.joined(session, room, true); // Asks again.
            continue;
          }
        }
        // A client of Pusher takes a roster for a new subscription; a reader of an event stream asks for none.
        if (body.length > 0) session.socket.send(body, false);
        continue;
      }
      const question = envelope.questions && questions.take(envelope.questions[index] ?? 0, id);
      if (envelope.questions !== undefined && question === undefined) continue; // It was refused before.
      const frame = question?.frameId === undefined ? body : spliceId(session.encoding, question.frameId, body);
      if (frame === undefined) continue;
      session.socket.send(frame, session.encoding === 'msgpack');
      if (question !== undefined) session.cost?.bytesOut.charge(frame.length, question.room);
    }
    // The other encoding may carry values that one cannot.
    if ([...frames.values()].includes(undefined)) metrics.malformedEnvelope(channel);
  };
}

function frameFor(encoding: Session['encoding'], envelope: Envelope): Uint8Array | undefined {
  const { room: name } = envelope;
  const room = name === undefined ? undefined : { name, prefix: roomPrefix(bodyEncoding(encoding), name) };
  return transcodeFor(encoding, envelope, room);
}
