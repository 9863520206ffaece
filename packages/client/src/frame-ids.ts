/** Ids for our frames, globally unique: also the `message_id` of what is published. */

/** Random digits per client, of 36 each: 124 bits. */
const PREFIX_DIGITS = 24;

/** Returns a function that makes ids: a random prefix and a counter, well below 64 bytes. */
export function createFrameIds(): () => string {
  // Not crypto.randomUUID: browsers have it on https and localhost only.
  const bytes = new Uint8Array(PREFIX_DIGITS);
  // React Native has no crypto; ids are to differ, not to be secret.
  const random = globalThis.crypto?.getRandomValues(bytes) ?? bytes.map(() => Math.random() * 256);
  const prefix = Array.from(random, byte => (byte % 36).toString(36)).join('');
  let count = 0;
  return () => `${prefix}-${(count++).toString(36)}`;
}
