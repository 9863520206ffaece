/** Ids for our frames, globally unique: also the `message_id` of what is published. */

/** Bytes of randomness per client: two clients that share them are not to be expected. */
const PREFIX_BYTES = 12;

/** Returns a function that makes ids: a random prefix and a counter, well below 64 bytes. */
export function createFrameIds(): () => string {
  // Not crypto.randomUUID: browsers have it on https and localhost only.
  const bytes = new Uint8Array(PREFIX_BYTES);
  // React Native has no crypto; ids are to differ, not to be secret.
  if (globalThis.crypto) crypto.getRandomValues(bytes);
  else bytes.set(bytes.map(() => Math.random() * 256));
  const prefix = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
  let count = 0;
  return () => `${prefix}-${(count++).toString(36)}`;
}
