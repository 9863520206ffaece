/** How a session's frames are written: an encoding of Hubbub's own frames, or the Pusher protocol. */
import type { Encoding } from '../codec.js';

export type SessionEncoding = Encoding | 'pusher';

export const SESSION_ENCODINGS: readonly SessionEncoding[] = ['json', 'msgpack', 'pusher'];

/** The encoding in which what a session sends travels between processes. */
export function bodyEncoding(encoding: SessionEncoding): Encoding {
  return encoding === 'msgpack' ? 'msgpack' : 'json';
}
