/** The rights of a token: patterns of rooms, each with its rights. */

import { type Namespaces, namespaceSettings } from '@hubbub/config';
import { namespaceOf, RIGHTS, type Right } from '@hubbub/protocol';
import { z } from 'zod';

/** The claim `rooms`: a list of patterns (every right), or an object from pattern to rights. */
export const roomsClaimSchema = z.union([z.array(z.string()), z.record(z.string(), z.array(z.enum(RIGHTS)))], {
  error: 'is not a list of patterns, nor an object from pattern to rights',
});
export type RoomsClaim = z.infer<typeof roomsClaimSchema>;

export interface Rights {
  allows(room: string, right: Right): boolean;
}

/** The rights of a room token in its one room. */
export type Grant = readonly Right[];

/**
 * The rights of a session's token. Without the claim: every right in every room of a public namespace. Where a namespace
 * wants room tokens no pattern opens anything, `*` included: the room token alone has the rights there.
 * @example tokenRights(['chat:*'], {}).allows('chat:42', 'join') === true
 */
export function tokenRights(claim: RoomsClaim | undefined, namespaces: Namespaces): Rights {
  if (claim === undefined) return publicRights(namespaces);
  const opens = (room: string): boolean => !needsRoomToken(namespaces, room);
  if (Array.isArray(claim)) {
    return { allows: room => claim.some(pattern => matches(pattern, room)) && opens(room) };
  }
  const entries = Object.entries(claim);
  return {
    allows: (room, right) =>
      entries.some(([pattern, rights]) => rights.includes(right) && matches(pattern, room)) && opens(room),
  };
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
