/** refresh: a new token for the session, which goes on where it is and may do what the new token says. */
import { HubbubError, isPlainObject } from '@hubbub/protocol';
import type { ClientFrame } from '@hubbub/protocol/client-frame';
import { tokenRights } from '../admission/rights.js';
import type { TokenClaims } from '../admission/token.js';
import { whenKnown } from '../admission/when-known.js';
import type { Session } from '../session.js';
import type { FrameAction, FrameContext } from './frame-context.js';

export const refresh: FrameAction = (session, frame, context) => {
  const token = isPlainObject(frame.payload) ? frame.payload.token : undefined;
  if (typeof token !== 'string' || token === '') {
    throw new HubbubError('INVALID_PAYLOAD', 'refresh needs payload.token, the new token.');
  }
  return whenKnown(context.verifyToken(token), claims => {
    if (session.closed) return; // While a key was fetched.
    if (claims.user.id !== session.user.id) throw new HubbubError('FORBIDDEN', 'The new token is of another user.');
    const { user, address } = session;
    // Who may not connect any more may not stay by renewing.
    return whenKnown<void, void>(context.authorizer.ask({ action: 'refresh', user, address }), () => {
      if (!session.closed) carryOut(session, frame, claims, context);
    });
  });
};

function carryOut(session: Session, frame: ClientFrame, claims: TokenClaims, context: FrameContext): void {
  renew(session, claims, context);
  const expiresAt = expiresAtOf(session);
  session.acknowledge({ id: frame.id ?? session.nextMessageId() }, undefined, {
    ...(expiresAt !== undefined && { payload: { expires_at: expiresAt } }),
  });
  leaveClosedRooms(session, context);
}

/** When the session ends, as `welcome` and the `ack` of a refresh tell it: RFC 3339. */
export function expiresAtOf({ expiresAtMs }: Pick<Session, 'expiresAtMs'>): string | undefined {
  return expiresAtMs === undefined ? undefined : new Date(expiresAtMs).toISOString();
}

function renew(session: Session, { rooms, expiresAtMs }: TokenClaims, { namespaces, expiry }: FrameContext): void {
  session.rights = tokenRights(rooms, namespaces);
  expiry.renew(session, expiresAtMs);
}

/** What the new token does not open is left; what a room token opened stays. */
function leaveClosedRooms(session: Session, { memberships }: FrameContext): void {
  for (const room of [...session.rooms]) {
    if (session.allows(room, 'join')) continue;
    session.send({
      type: 'room_closed',
      room,
      payload: { room_id: room, removed: true, reason: 'the new token does not open this room' },
      timestamp: new Date().toISOString(),
    });
    memberships.leave(session, room);
  }
}
