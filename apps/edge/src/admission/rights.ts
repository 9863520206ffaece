/** The rights of a token: patterns of rooms, each with its rights. */

import { type Namespaces, namespaceSettings } from '@hubbub/config';
import {
  beginningOf,
  HubbubError,
  isAnonymousId,
  namespaceOf,
  RIGHTS,
  type Right,
  ROOM_NAME_MAX_BYTES,
  type Sender,
  type Status,
} from '@hubbub/protocol';
import { z } from 'zod';
import type { TokenIdentity } from './token-identity.js';

/** The claim `rooms`: a list of patterns (every right), or an object from pattern to rights. */
export const roomsClaimSchema = z.union([z.array(z.string()), z.record(z.string(), z.array(z.enum(RIGHTS)))], {
  error: 'is not a list of patterns, nor an object from pattern to rights',
});
export type RoomsClaim = z.infer<typeof roomsClaimSchema>;

export interface Rights {
  allows(room: string, right: Right): boolean;
  /** Of the token; `undefined` without it. */
  readonly claim?: RoomsClaim;
}

/** The rights of a room token in its one room, or those that a service gives. */
export interface Grant {
  readonly rights: readonly Right[];
  /** The member in the roster of the room, in place of the session's user: a channel of the Pusher protocol names its own. */
  readonly member?: GrantedMember;
  /** Absent: of a service. */
  readonly token?: TokenIdentity;
  /** Of the token, milliseconds since 1970. */
  readonly expiresAtMs?: number;
}

export interface GrantedMember {
  readonly user: Sender;
  readonly status?: Status;
}

/**
 * The rights of a session's token. Without the claim: every right in every room of a public namespace. Where a namespace
 * wants room tokens no pattern opens anything, `*` included: the room token alone has the rights there.
 * @example tokenRights(['chat:*'], {}).allows('chat:42', 'join') === true
 */
export function tokenRights(claim: RoomsClaim | undefined, namespaces: Namespaces): Rights {
  if (claim === undefined) return publicRights(namespaces);
  const opens = (room: string): boolean => !needsRoomToken(namespaces, room);
  if (Array.isArray(claim)) {
    return { claim, allows: room => claim.some(pattern => matches(pattern, room)) && opens(room) };
  }
  const entries = Object.entries(claim);
  return {
    claim,
    allows: (room, right) =>
      entries.some(([pattern, rights]) => rights.includes(right) && matches(pattern, room)) && opens(room),
  };
}

/** Patterns that a refusal names, and characters of each: a token may have thousands. */
const NAMED_PATTERNS_MAX = 5;
const PATTERN_MAX_LENGTH = ROOM_NAME_MAX_BYTES + 1;

/**
 * The refusal of a user without a right in a room. It names what the user's own tokens give, and nothing else.
 * @param granted rights in the room by a room token
 */
export function missingRight(
  { user, rights }: { readonly user: Sender; readonly rights: Rights },
  room: string,
  right: Right,
  granted: readonly Right[] = [],
): HubbubError {
  const given = RIGHTS.filter(each => rights.allows(room, each) || granted.includes(each));
  const opens = patternsOf(rights.claim)?.slice(0, NAMED_PATTERNS_MAX);
  const named = opens?.map(pattern => beginningOf(pattern, PATTERN_MAX_LENGTH));
  let has = `the token opens ${named === undefined ? 'public namespaces only' : quoted(named) || 'no room'}`;
  if (given.length > 0) has = `granted there: ${quoted(given)}`;
  else if (isAnonymousId(user.id)) has = 'a session without a token has no rights there';
  return new HubbubError('FORBIDDEN', `The right \`${right}\` is missing in the room \`${room}\`; ${has}.`, {
    details: { room, right, granted: given, ...(named !== undefined && { opens: named }) },
  });
}

function patternsOf(claim: RoomsClaim | undefined): readonly string[] | undefined {
  return claim === undefined || Array.isArray(claim) ? claim : Object.keys(claim);
}

function quoted(names: readonly string[]): string {
  return names.map(name => `\`${name}\``).join(', ');
}

export function needsRoomToken(namespaces: Namespaces, room: string): boolean {
  return namespaceSettings(namespaces, namespaceOf(room)).requireRoomToken;
}

/** The rights of every session without a token; `undefined` if no namespace gives any: then a token is required. */
export function anonymousRights(namespaces: Namespaces): Rights | undefined {
  if (!Object.values(namespaces).some(namespace => namespace.anonymousRights.length > 0)) return undefined;
  return {
    allows(room, right) {
      const namespace = namespaceSettings(namespaces, namespaceOf(room));
      return namespace.anonymousRights.includes(right) && !namespace.requireRoomToken;
    },
  };
}

const publicRightsOf = new WeakMap<Namespaces, Rights>();

/** One object for all sessions without the claim. */
function publicRights(namespaces: Namespaces): Rights {
  let rights = publicRightsOf.get(namespaces);
  if (rights === undefined) {
    rights = {
      allows: room => {
        const namespace = namespaceSettings(namespaces, namespaceOf(room));
        return namespace.public && !namespace.requireRoomToken;
      },
    };
    publicRightsOf.set(namespaces, rights);
  }
  return rights;
}

/** `*` at the end stands for any rest, nothing else is special. */
function matches(pattern: string, room: string): boolean {
  return pattern.endsWith('*') ? room.startsWith(pattern.slice(0, -1)) : room === pattern;
}
