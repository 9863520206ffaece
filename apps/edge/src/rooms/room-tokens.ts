/** Ends memberships by a room token: when it is revoked and, where the namespace asks for that, when it expires. */
import { type Namespaces, namespaceSettings } from '@hubbub/config';
import { namespaceOf } from '@hubbub/protocol';
import type { Revocations } from '../admission/revocations.js';
import type { Grant } from '../admission/rights.js';
import { Expiry } from '../sessions/expiry.js';
import type { Session } from '../sessions/session.js';

export interface RoomTokensParts {
  readonly namespaces: Namespaces;
  readonly revocations: Pick<Revocations, 'reason' | 'ended'>;
  /** Removes a member, with the reason that it gets. */
  readonly remove: (session: Session, room: string, reason: string) => void;
}

interface ExpiringMembership {
  readonly session: Session;
  readonly room: string;
  expiresAtMs: number | undefined;
}

export class RoomTokens {
  readonly #parts: RoomTokensParts;
  readonly #expiry = new Expiry<ExpiringMembership>(({ session, room }) =>
    this.#end(session, room, 'the room token has expired'),
  );
  readonly #expiring = new WeakMap<Session, Map<string, ExpiringMembership>>();

  constructor(parts: RoomTokensParts) {
    this.#parts = parts;
  }

  /** The session is a member with the rights of this room token, until it leaves. */
  joined(session: Session, room: string, { token, expiresAtMs }: Grant): void {
    this.left(session, room);
    // Its handshake or join was checked before; a revocation that came meanwhile did not find the membership.
    if (token !== undefined && this.#parts.revocations.reason(session.user.id, token) !== undefined) {
      session.inTurn(() => this.endRevoked(session));
    }
    const { expireWithRoomToken } = namespaceSettings(this.#parts.namespaces, namespaceOf(room));
    if (!expireWithRoomToken || expiresAtMs === undefined) return;
    const membership: ExpiringMembership = { session, room, expiresAtMs: undefined };
    let ofSession = this.#expiring.get(session);
    if (ofSession === undefined) {
      ofSession = new Map();
      this.#expiring.set(session, ofSession);
    }
    ofSession.set(room, membership);
    this.#expiry.renew(membership, expiresAtMs);
  }

  left(session: Session, room: string): void {
    const ofSession = this.#expiring.get(session);
    const membership = ofSession?.get(room);
    if (membership === undefined) return;
    ofSession?.delete(room);
    this.#expiry.forget(membership);
  }

  /** Ends the memberships of a session by revoked room tokens. */
  endRevoked(session: Session): void {
    for (const [room, { token }] of session.grants()) {
      const reason = token && this.#parts.revocations.reason(session.user.id, token);
      if (reason === undefined) continue;
      this.#parts.revocations.ended('room_token');
      this.#end(session, room, 'the room token was revoked');
    }
  }

  close(): void {
    this.#expiry.close();
  }

  /** The token of the session may open the room, too. */
  #end(session: Session, room: string, reason: string): void {
    this.left(session, room);
    session.revoke(room);
    if (!session.closed && session.rooms.has(room) && !session.allows(room, 'join')) {
      this.#parts.remove(session, room, reason);
    }
  }
}
