/** The idempotency key of a client's frame. */

/**
 * What a user's repeated frame is known by. The length of the id stands in front: ids of users and frames may have
 * any character, and no two users may make the same key.
 */
export function userKey(userId: string, frameId: string): string {
  return `${frameId.length}/${frameId}/${userId}`;
}
