/** Whether a user may join a room: checks the token first, then the room token, and asks the authorizer last. */
import type { Namespaces } from '@hubbub/config';
import { HubbubError, type Sender } from '@hubbub/protocol';
import type { Authorizer } from './authorizer/authorizer.js';
import { continueWith } from './claims.js';
import { type Grant, missingRight, needsRoomToken, type Rights } from './rights.js';
import type { RoomTokenVerifier } from './room-token.js';

/** A session is one. */
export interface JoiningUser {
  readonly user: Sender;
  readonly rights: Rights;
  /** Of the client, as the edge sees it. */
  readonly address?: string | undefined;
}

/**
 * Returns what the room token grants, once the user may join; a promise where a key or the authorizer has to be asked.
 * @throws {HubbubError} `FORBIDDEN`, `UNAVAILABLE`; or rejects with it.
 */
export type AuthorizeJoin = (
  user: JoiningUser,
  room: string,
  roomToken: string | undefined,
) => Grant | undefined | Promise<Grant | undefined>;

export interface JoinAuthorizationParts {
  readonly namespaces: Namespaces;
  readonly verifyRoomToken: RoomTokenVerifier;
  readonly authorizer: Pick<Authorizer, 'ask'>;
}

export function createJoinAuthorization(parts: JoinAuthorizationParts): AuthorizeJoin {
  const { namespaces, verifyRoomToken, authorizer } = parts;
  return ({ user, rights, address }, room, roomToken) => {
    const granted = roomToken === undefined ? undefined : verifyRoomToken(roomToken, user, room);
    return continueWith<Grant | undefined, Grant | undefined>(granted, grant => {
      if (!rights.allows(room, 'join') && grant?.rights.includes('join') !== true) {
        if (grant !== undefined || !needsRoomToken(namespaces, room))
          throw missingRight({ user, rights }, room, 'join', grant?.rights);
        throw new HubbubError('FORBIDDEN', `The room \`${room}\` ${ROOM_TOKEN_NEEDED}`, {
          details: { room, right: 'join', granted: [] },
        });
      }
      return continueWith(authorizer.ask({ action: 'join', user, address, room }), () => grant);
    });
  };
}

const ROOM_TOKEN_NEEDED =
  'needs a room token: in payload.token of join_room, in the room of resume, or as ?room_token= of the path.';
