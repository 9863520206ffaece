/** Ends what a revocation ends: sessions with a revoked token or of a blocked user, and memberships by a revoked room token. */
import { CLOSE_CODES, type Revocation } from '@hubbub/protocol';
import type { Revocations } from '../admission/revocations.js';
import type { RoomTokens } from '../rooms/room-tokens.js';
import type { Session } from '../sessions/session.js';
import type { Sessions } from '../sessions/sessions.js';
import { disconnect, type RoomControlParts } from './room-control.js';

export interface RevocationControlParts extends Pick<RoomControlParts, 'memberships' | 'conflation'> {
  readonly sessions: Pick<Sessions, 'ofUser'>;
  readonly revocations: Pick<Revocations, 'reason' | 'ended'>;
  readonly roomTokens: Pick<RoomTokens, 'endRevoked'>;
}

export interface RevocationControl {
  onRevoked(revocation: Revocation): void;
  /**
   * Ends a session that must not be. Called when it is registered: its handshake was checked before, and a revocation that
   * came meanwhile did not find it. Returns whether it ended.
   */
  endIfRevoked(session: Session): boolean;
}

export function createRevocationControl(parts: RevocationControlParts): RevocationControl {
  const { sessions, revocations, roomTokens, memberships, conflation } = parts;

  function endIfRevoked(session: Session): boolean {
    const reason = session.closed ? undefined : revocations.reason(session.user.id, session);
    if (reason === undefined) return false;
    conflation.settle(session);
    disconnect(session, memberships, CLOSE_CODES.REVOKED, reason);
    revocations.ended('session');
    return true;
  }

  return {
    endIfRevoked,
    onRevoked({ user }) {
      for (const session of [...sessions.ofUser(user)]) if (!endIfRevoked(session)) roomTokens.endRevoked(session);
    },
  };
}
