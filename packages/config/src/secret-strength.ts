/** Whether a secret protects anything: its length, its randomness, and whether everybody knows it. */

/** Used in development when nothing is set, and announced loudly. Never in production. */
export const DEVELOPMENT_JWT_SECRET = 'hubbub-development-secret-not-for-production';

/** Secrets that this repository contains or contained. A test looks for further ones. */
const PUBLISHED: ReadonlySet<string> = new Set([
  DEVELOPMENT_JWT_SECRET,
  'the-secret-of-the-examples-which-everybody-knows',
  'a-secret-of-your-own-of-at-least-32-bytes',
  'a-secret-of-my-poll-with-at-least-32-bytes',
  'only-for-trying-out-everybody-knows-this-secret',
  'only-for-trying-out',
  'only-for-trying-out-presence',
  // The example of Standard Webhooks.
  'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  '9f0b7c52d1e84a36b0c7f2e95d18a46c3e70',
  // The example of Pusher's documentation.
  '7ad3773142a6692b25b8',
]);

/** Examples of other documentation that are long enough, so that people copy them: jwt.io and Supabase. */
const KNOWN: ReadonlySet<string> = new Set([
  'a-string-secret-at-least-256-bits-long',
  'qwertyuiopasdfghjklzxcvbnm123456',
  'your-super-secret-jwt-token-with-at-least-32-characters-long',
]);

/** Of 16 random hex digits 4 in 10 million have fewer different ones; of longer or richer keys far fewer do. */
const DISTINCT_MIN = 5;

/** RFC 7518 section 3.2: a key for HS256 has at least the 256 bits of the hash. */
export const JWT_SECRET_MIN_BYTES = 32;

/** 32 hex digits are 128 bits: too many to guess, even from a hash. */
export const API_KEY_MIN_BYTES = 32;

export function isPublishedSecret(secret: string): boolean {
  return PUBLISHED.has(secret);
}

/**
 * Describes the weakness of a secret, or returns `undefined`. Never quotes it.
 * @example secretWeakness('a'.repeat(32), 32) === 'expected a random one, such as from openssl rand -base64 48'
 */
export function secretWeakness(secret: string, minBytes: number): string | undefined {
  if (isPublishedSecret(secret)) return 'this one is published with Hubbub; use a secret of your own';
  if (KNOWN.has(secret)) return 'everybody knows this example; use a secret of your own';
  const bytes = Buffer.byteLength(secret);
  if (bytes < minBytes) return `has ${bytes} byte${bytes === 1 ? '' : 's'}; expected at least ${minBytes} bytes`;
  return new Set(secret).size < DISTINCT_MIN || repeatsItself(secret)
    ? 'expected a random one, such as from openssl rand -base64 48'
    : undefined;
}

/** A text repeats itself exactly where it is found within two of it, apart from the ends. */
function repeatsItself(text: string): boolean {
  return (text + text).indexOf(text, 1) < text.length;
}
