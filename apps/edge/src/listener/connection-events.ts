/** The life of a connection: admitted or refused, welcomed, heard, gone. */
import {
  CLOSE_CODES,
  FEATURES,
  HubbubError,
  type Pace,
  type Recovery,
  type SessionLimits,
  SUBPROTOCOLS,
} from '@hubbub/protocol';
import type { Logger } from '@hubbub/runtime';
import { type AdmissionPolicy, type Admitted, admit } from '../admission/admission.js';
import { createAdmissionFailures } from '../admission/admission-failures.js';
import type { Departure } from '../drain/departure.js';
import type { Dispatcher } from '../frames/dispatch.js';
import { joinFrom } from '../frames/enter-room.js';
import { expiryOf } from '../frames/refresh.js';
import type { CostLimits } from '../limits/cost-limits.js';
import type { FrameLimits } from '../limits/frame-limits.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { LimitMetrics } from '../limits/limit-metrics.js';
import type { EdgeMetrics } from '../metrics.js';
import type { Memberships } from '../rooms/memberships.js';
import type { Expiry } from '../sessions/expiry.js';
import { Session } from '../sessions/session.js';
import type { Sessions } from '../sessions/sessions.js';
import type { UnreadWatch } from '../sessions/unread.js';
import type { ConnectionEvents } from './websocket.js';

export interface ConnectionParts {
  readonly policy: AdmissionPolicy;
  readonly departure: Departure;
  readonly sessions: Sessions;
  readonly expiry: Expiry<Session>;
  readonly unread: UnreadWatch<Session>;
  readonly memberships: Memberships;
  readonly dispatcher: Dispatcher;
  readonly metrics: EdgeMetrics;
  readonly limitMetrics: LimitMetrics;
  readonly limits: SessionLimits;
  readonly pace: Pace;
  readonly frameLimits: FrameLimits;
  readonly costLimits: CostLimits;
  readonly log: Logger;
}

export function createConnectionEvents(parts: ConnectionParts): ConnectionEvents {
  const {
    policy,
    departure,
    sessions,
    expiry,
    unread,
    memberships,
    dispatcher,
    metrics,
    limitMetrics,
    frameLimits,
    costLimits,
    log,
  } = parts;
  const asRefusal = createAdmissionFailures(log);
  return {
    admit(request) {
      const refused = (error: unknown): never => {
        const refusal = asRefusal(error);
        metrics.handshakeRefused(refusal.code);
        if (refusal instanceof LimitExceeded) limitMetrics.exceeded(refusal.limit);
        throw refusal;
      };
      const accepted = (admitted: Admitted): Admitted => {
        metrics.handshakeAccepted();
        return admitted;
      };
      try {
        if (departure.refuses) throw new HubbubError('UNAVAILABLE', 'This edge is leaving; connect again.');
        const admitted = admit(request, policy);
        return admitted instanceof Promise ? admitted.then(accepted, refused) : accepted(admitted);
      } catch (error) {
        return refused(error);
      }
    },
    refused: metrics.handshakeRefused,
    opened(socket, admitted) {
      const session = new Session(admitted.sessionId, socket, admitted);
      sessions.add(session);
      expiry.renew(session, admitted.expiresAtMs);
      // Frames of the client wait meanwhile, so that the first one finds the session complete.
      session.hold(welcome(session, admitted, parts));
      return session;
    },
    anySocket() {
      for (const { socket } of sessions) return socket;
      return undefined;
    },
    received: dispatcher.receive,
    drained: session => unread.drained(session),
    overflowed: () => metrics.slowReader(),
    closed(session, code) {
      memberships.close(session);
      sessions.delete(session);
      const nowMs = performance.now();
      if (session.allowance !== undefined) frameLimits.close(session, session.allowance, nowMs);
      if (session.cost !== undefined) costLimits.close(session.cost, nowMs);
      expiry.forget(session);
      unread.forget(session);
      metrics.closed(code);
    },
  };
}

/**
 * Sent when messages to the user, and to the room of the path, reach the session. Then follow the messages that the session
 * missed in that room, then live ones. Never rejects.
 */
async function welcome(
  session: Session,
  { room, since, grant }: Admitted,
  { memberships, limits, pace, log }: ConnectionParts,
): Promise<void> {
  const announce = (entered?: Recovery): void => {
    session.send({
      type: 'welcome',
      payload: {
        session_id: session.id,
        user: session.user,
        subprotocol: SUBPROTOCOLS[session.encoding],
        rooms: room === undefined ? [] : [room],
        ...(entered !== undefined && { position: entered }),
        ...expiryOf(session),
        features: FEATURES,
        ...pace,
        limits,
      },
      timestamp: new Date().toISOString(),
    });
  };
  try {
    await memberships.open(session);
    if (room === undefined) announce();
    else await joinFrom(session, room, { since, grant, announce }, { memberships });
  } catch (error) {
    log.warn({ event: 'session_not_opened', err: error }, 'a session could not be opened');
    if (!session.closed) session.socket.end(CLOSE_CODES.TRY_AGAIN_LATER, 'the bus does not answer');
  }
}
