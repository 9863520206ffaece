/** The idempotency key of what a client publishes. */

/**
 * Returns the key that a `message_id` has for its user: no user can use up the `message_id` of another. The length of
 * the `message_id` comes first, because both parts may hold any character.
 */
export function userKey(userId: string, messageId: string): string {
  return `${messageId.length}/${messageId}/${userId}`;
}
