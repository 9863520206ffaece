/** The idempotency key of a request, and what it is used for (draft-ietf-httpapi-idempotency-key-header). */
import { createHash } from 'node:crypto';
import { FRAME_ID_MAX_BYTES, HubbubError } from '@hubbub/protocol';

/** As long as a key of the server SDK. */
export const KEY_MAX_LENGTH = 2 * FRAME_ID_MAX_BYTES;

/** Visible ASCII: what a header may hold. */
export const KEY_PATTERN = new RegExp(`^[!-~]{1,${KEY_MAX_LENGTH}}$`);

/**
 * The key that a request carries in its header, in its body, or in both, where they must be the same. The draft has the
 * key in quotes, as a structured field; most programs send it bare. Both are the same key.
 * @throws {HubbubError} `INVALID_FORMAT`
 */
export function keyOf(header: string | undefined, inBody: string | undefined): string | undefined {
  if (header === undefined) return inBody;
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header)?.[1];
  const key = quoted?.replace(/\\(.)/g, '$1') ?? header;
  if (!KEY_PATTERN.test(key)) {
    throw new HubbubError(
      'INVALID_FORMAT',
      `Idempotency-Key: expected 1 to ${KEY_MAX_LENGTH} visible ASCII characters, without spaces.`,
    );
  }
  if (inBody !== undefined && inBody !== key) {
    throw new HubbubError(
      'INVALID_FORMAT',
      'idempotency_key: it differs from the header Idempotency-Key; send one of them.',
    );
  }
  return key;
}

/** The key of one message of a batch that has a key: bounded, and never that of a request. */
export function keyInBatch(batchKey: string, index: number): string {
  return `batch/${hash(batchKey)}/${index}`;
}

/** The same for two requests that mean the same: the order of an object's keys means nothing. */
export function fingerprintOf(request: unknown): string {
  return hash(JSON.stringify(request, inOrder));
}

function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
