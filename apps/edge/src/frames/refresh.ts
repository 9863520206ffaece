/** refresh: a new token for the session, which stays connected and gets the rights of the new token. */
import { HubbubError, isPlainObject } from '@hubbub/protocol';
import type { ClientFrame } from '@hubbub/protocol/client-frame';
import { tokenRights } from '../admission/rights.js';
import type { TokenClaims } from '../admission/token.js';
import { whenKnown } from '../admission/when-known.js';
import type { Session } from '../sessions/session.js';
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
    // A user who may not connect any more may not stay by renewing.
    return whenKnown<void, void>(context.authorizer.ask({ action: 'refresh', user, address }), () => {
      if (!session.closed) carryOut(session, frame, claims, context);
    });
  });
};

function carryOut(session: Session, frame: ClientFrame, claims: TokenClaims, context: FrameContext): void {
  renew(session, claims, context);
  const expiry = expiryOf(session);
  session.acknowledge({ id: frame.id ?? session.nextMessageId() }, undefined, {
    ...(expiry !== undefined && { payload: { ...expiry } }),
  });
  leaveClosedRooms(session, context);
}

/** When a session ends, as its `welcome` and the `ack` of a refresh have it. */
export interface ExpiryNotice {
  /** RFC 3339, by this edge's clock. */
  readonly expires_at: string;
  /** The same as a duration: the clocks of clients are wrong. */
  readonly expires_in_ms: number;
}

export function expiryOf({ expiresAtMs }: Pick<Session, 'expiresAtMs'>): ExpiryNotice | undefined {
  if (expiresAtMs === undefined) return undefined;
  return { expires_at: new Date(expiresAtMs).toISOString(), expires_in_ms: Math.max(0, expiresAtMs - Date.now()) };
}

function renew(
  session: Session,
  { rooms, expiresAtMs }: TokenClaims,
  { namespaces, expiry, presence }: FrameContext,
): void {
  session.rights = tokenRights(rooms, namespaces);
  expiry.renew(session, expiresAtMs);
  if (session.status !== undefined) presence.statusSet(session); // Shown where the new rights allow it.
}

/** Leaves the rooms that the new token does not open; rooms of a room token stay. */
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
