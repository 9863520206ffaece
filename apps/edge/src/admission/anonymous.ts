/** Sessions without a token: who they are, and what namespaces let them do. */
import { type Namespaces, namespaceSettings } from '@hubbub/config';
import { ANONYMOUS_PREFIX, namespaceOf, type Sender } from '@hubbub/protocol';
import type { Rights } from './rights.js';

/** The rights of every session without a token; `undefined` where no namespace gives any, and nobody gets in. */
export function anonymousRights(namespaces: Namespaces): Rights | undefined {
  if (!Object.values(namespaces).some(namespace => namespace.anonymousRights.length > 0)) return undefined;
  return {
    allows(room, right) {
      const namespace = namespaceSettings(namespaces, namespaceOf(room));
      return namespace.anonymousRights.includes(right) && !namespace.requireRoomToken;
    },
  };
}

/** A user of its own for each session: ids of sessions are unique in the cluster, and no token may name such a user. */
export function anonymousUser(sessionId: string): Sender {
  return { id: `${ANONYMOUS_PREFIX}${sessionId}`, name: 'Anonymous' };
}
