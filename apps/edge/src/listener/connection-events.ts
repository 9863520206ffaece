/** The life of a connection: admitted or refused, welcomed, heard, gone. */
import { CLOSE_CODES } from '@hubbub/protocol';
import { type Logger, spanFieldsOf } from '@hubbub/runtime';
import type { Accounts } from '../account/accounts.js';
import { type AdmissionPolicy, type Admitted, admit, type UpgradeRequest } from '../admission/admission.js';
import type { RefusalLog } from '../admission/refusal-log.js';
import { admitStream } from '../admission/stream-admission.js';
import type { Departure } from '../drain/departure.js';
import { joinStreamRooms } from '../event-streams/join-stream-rooms.js';
import type { Limits } from '../limits/create-limits.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { EdgeMetrics } from '../metrics.js';
import { openConnection } from '../pusher/connections.js';
import type { Pusher } from '../pusher/create-pusher.js';
import type { Memberships } from '../rooms/memberships.js';
import type { Expiry } from '../sessions/expiry.js';
import type { Receive } from '../sessions/receiver.js';
import { Session } from '../sessions/session.js';
import type { Sessions } from '../sessions/sessions.js';
import type { UnreadWatch } from '../sessions/unread.js';
import type { ConnectionEvents } from './listener-events.js';
import { createWelcome, type SendWelcome } from './welcome.js';

export interface ConnectionParts {
  readonly admission: AdmissionPolicy;
  readonly departure: Departure;
  readonly sessions: Sessions;
  readonly expiry: Expiry<Session>;
  readonly unread: UnreadWatch<Session>;
  readonly memberships: Memberships;
  readonly receive: Receive;
  /** `undefined` without apps. */
  readonly pusher: Pusher | undefined;
  /** Ends a session that was revoked during its handshake. */
  readonly endIfRevoked: (session: Session) => boolean;
  readonly metrics: EdgeMetrics;
  readonly limits: Limits;
  readonly refusalLog: RefusalLog;
  readonly accounts: Accounts;
  readonly log: Logger;
}

const OVERLOADED = 'This edge is overloaded; try again later.';

export function createConnectionEvents(parts: ConnectionParts): ConnectionEvents {
  const { admission, departure, sessions, expiry, unread, memberships, limits, metrics, accounts, log } = parts;
  const { pusher } = parts;
  const sendWelcome = createWelcome(limits);
  const countLimit = (error: unknown): never => {
    if (error instanceof LimitExceeded) limits.metrics.exceeded(error.limit);
    throw error;
  };
  const admitByProtocol = (request: UpgradeRequest): Admitted | Promise<Admitted> => {
    const { stream } = request;
    if (stream !== undefined) return admitStream({ ...request, stream }, admission, limits.session.max_rooms);
    return request.pusher === undefined || pusher === undefined ? admit(request, admission) : pusher.admit(request);
  };
  return {
    screen() {
      if (departure.refuses) {
        metrics.handshakeRefused('UNAVAILABLE');
        return 'leaving';
      }
      const retryAfterMs = limits.overload.refuseNext();
      if (retryAfterMs === undefined) return 'pass';
      metrics.handshakeRefused('RATE_LIMITED');
      return { code: 'RATE_LIMITED', message: OVERLOADED, retryAfterMs };
    },
    recordsRefusals: () => accounts.recordsRefusals,
    shed: handshake => accounts.handshakeRefused(new LimitExceeded('overload', 'RATE_LIMITED', OVERLOADED), handshake),
    admit(request) {
      try {
        const admitted = admitByProtocol(request);
        return admitted instanceof Promise ? admitted.catch(countLimit) : admitted;
      } catch (error) {
        return countLimit(error);
      }
    },
    refused(error, handshake) {
      const refusal = parts.refusalLog.connection(error, handshake);
      metrics.handshakeRefused(refusal.code);
      accounts.handshakeRefused(refusal, handshake);
      return refusal;
    },
    opened(socket, admitted, begin) {
      metrics.handshakeAccepted();
      const session = new Session(admitted.sessionId, socket, admitted);
      if (admitted.pusherApp !== undefined) openConnection(session, admitted.pusherApp);
      begin(session);
      sessions.add(session);
      if (parts.endIfRevoked(session)) return;
      expiry.renew(session, admitted.expiresAtMs);
      // Its joins and replays cost what a frame would cost that asks for them.
      if (admitted.streamRooms !== undefined) session.cost = limits.costs.open(session, performance.now());
      // Frames of the client wait meanwhile, so that the first one finds the session complete.
      session.hold(welcome(session, admitted, parts, sendWelcome));
      log.debug?.(
        {
          event: 'session_connected',
          session: session.id,
          user: session.user.id,
          address: session.address,
          encoding: session.encoding,
          room: session.pathRoom,
        },
        'session connected',
      );
    },
    anySocket() {
      for (const { socket } of sessions) return socket;
      return undefined;
    },
    received: pusher === undefined ? parts.receive : byProtocol(parts.receive, pusher.receive),
    drained: session => unread.drained(session),
    overflowed(session) {
      accounts.note(session, { event: 'slow_reader' });
      metrics.slowReader();
    },
    unread(session) {
      accounts.note(session, { event: 'unread' });
      limits.metrics.exceeded('unread_time');
    },
    closed(session, codeOfFrame, reason) {
      const code = session.endedWith ?? codeOfFrame;
      accounts.sessionClosed(session, { code, reason });
      memberships.close(session);
      pusher?.closed(session);
      sessions.delete(session);
      limits.release(session);
      expiry.forget(session);
      unread.forget(session);
      metrics.closed(code);
      log.debug?.({ event: 'session_closed', session: session.id, user: session.user.id, code }, 'session closed');
    },
  };
}

function byProtocol(receive: Receive, receivePusher: Receive): Receive {
  return (session, bytes, isBinary) =>
    session.encoding === 'pusher' ? receivePusher(session, bytes, isBinary) : receive(session, bytes, isBinary);
}

/**
 * Sent when messages to the user, and to the room of the path, reach the session. Then follow the messages that the session
 * missed in that room, then live ones. Never rejects.
 */
async function welcome(
  session: Session,
  { room, since, grant, streamRooms }: Admitted,
  { admission: { namespaces }, memberships, limits, log }: ConnectionParts,
  send: SendWelcome,
): Promise<void> {
  try {
    await memberships.open(session);
    if (streamRooms !== undefined) {
      const rooms = streamRooms.map(({ room }) => room);
      await joinStreamRooms(session, streamRooms, { memberships, namespaces, welcome: () => send(session, rooms) });
    } else if (room === undefined) send(session, []);
    else await memberships.join(session, room, { since, grant, announce: position => send(session, [room], position) });
  } catch (error) {
    if (error instanceof LimitExceeded) {
      limits.metrics.exceeded(error.limit);
      if (!session.closed) session.end(CLOSE_CODES.TOO_MANY_CONNECTIONS, error.message);
      return;
    }
    log.warn({ event: 'session_not_opened', err: error, ...spanFieldsOf(error) }, 'a session could not be opened');
    if (!session.closed) session.end(CLOSE_CODES.TRY_AGAIN_LATER, 'the broker does not answer');
  }
}
