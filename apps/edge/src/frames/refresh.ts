/** refresh: a new token for the session, which stays connected and gets the rights of the new token. */

import { HubbubError, isPlainObject } from '@hubbub/protocol';
import type { ClientFrame } from '@hubbub/protocol/client-frame';
import { continueWith } from '../admission/claims.js';
import { tokenRights } from '../admission/rights.js';
import type { TokenClaims } from '../admission/token.js';
import { expiryOf } from '../sessions/expiry.js';
import type { FrameHandler } from '../sessions/receiver.js';
import type { Session } from '../sessions/session.js';
import type { FrameParts } from './frame-parts.js';

type RefreshParts = Pick<
  FrameParts,
  'verifyToken' | 'revocations' | 'authorizer' | 'namespaces' | 'expiry' | 'presence' | 'memberships'
>;

export function handleRefresh(parts: RefreshParts): FrameHandler {
  const { verifyToken, authorizer } = parts;
  return (session, frame) => {
    const token = isPlainObject(frame.payload) ? frame.payload.token : undefined;
    if (typeof token !== 'string' || token === '') {
      throw new HubbubError('INVALID_PAYLOAD', 'refresh needs payload.token, the new token.');
    }
    return continueWith(verifyToken(token), claims => {
      if (session.closed) return; // While a key was fetched.
      if (claims.user.id !== session.user.id) throw new HubbubError('FORBIDDEN', 'The new token is of another user.');
      const { user, address } = session;
      // A user who may not connect any more may not stay by renewing.
      return continueWith<void, void>(authorizer.ask({ action: 'refresh', user, address }), () => {
        if (!session.closed) renewSession(session, frame, claims, parts);
      });
    });
  };
}

function renewSession(session: Session, frame: ClientFrame, claims: TokenClaims, parts: RefreshParts): void {
  const { namespaces, expiry, presence, memberships, revocations } = parts;
  // After the last wait: a revocation that came meanwhile met the former token.
  revocations.assertAccess(session.user.id, claims.token, 'refresh');
  session.issuedAtSeconds = claims.token.issuedAtSeconds;
  session.tokenId = claims.token.tokenId;
  session.rights = tokenRights(claims.rooms, namespaces);
  expiry.renew(session, claims.expiresAtMs);
  if (session.status !== undefined) presence.statusSet(session); // Shown where the new rights allow it.
  const notice = expiryOf(session);
  session.acknowledge({ id: frame.id ?? session.nextMessageId() }, undefined, {
    ...(notice !== undefined && { payload: { ...notice } }),
  });
  leaveClosedRooms(session, memberships);
}

/** Leaves the rooms that the new token does not open; rooms of a room token stay. */
function leaveClosedRooms(session: Session, memberships: FrameParts['memberships']): void {
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
