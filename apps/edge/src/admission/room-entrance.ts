/** Whether somebody may enter a room: the token first, then the room token, the authorizer last. */

import type { Namespaces } from '@hubbub/config';
import { HubbubError, type Sender } from '@hubbub/protocol';
import type { Authorizer } from './authorizer/authorizer.js';
import { type Grant, needsRoomToken, type Rights } from './rights.js';
import type { RoomTokenVerifier } from './room-token.js';
import { whenKnown } from './when-known.js';

/** The user that wants to join a room; a session is one. */
export interface Visitor {
  readonly user: Sender;
  readonly rights: Rights;
  /** Of the client, as the edge sees it. */
  readonly address?: string | undefined;
}

export interface RoomEntrance {
  /**
   * The rights of the room token, once the visitor may join: immediately if no question is needed.
   * @throws {HubbubError} `FORBIDDEN`, `UNAVAILABLE`; or rejects with it.
   */
  open(visitor: Visitor, room: string, roomToken: string | undefined): Opened | Promise<Opened>;
}

/** `undefined` without a room token. */
export type Opened = Grant | undefined;

export interface RoomEntranceParts {
  readonly namespaces: Namespaces;
  readonly verifyRoomToken: RoomTokenVerifier;
  readonly authorizer: Pick<Authorizer, 'ask'>;
}

export function createRoomEntrance({ namespaces, verifyRoomToken, authorizer }: RoomEntranceParts): RoomEntrance {
  return {
    open({ user, rights, address }, room, roomToken) {
      const grant = roomToken === undefined ? undefined : verifyRoomToken(roomToken, user, room);
      return whenKnown<Opened, Opened>(grant, grant => {
        if (!rights.allows(room, 'join') && grant?.includes('join') !== true) {
          const wantsToken = grant === undefined && needsRoomToken(namespaces, room);
          throw new HubbubError('FORBIDDEN', wantsToken ? ROOM_TOKEN_NEEDED : 'The token does not open this room.');
        }
        return whenKnown(authorizer.ask({ action: 'join', user, address, room }), () => grant);
      });
    },
  };
}

const ROOM_TOKEN_NEEDED =
  'This room needs a room token: in payload.token of join_room, in the room of resume, or as ?room_token= of the path.';
