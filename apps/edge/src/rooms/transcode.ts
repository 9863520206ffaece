/** Rewrites a frame from one encoding to the other: once per message and edge, and only where a member wants it. */
import { type Encoding, type Frame, jsonCodec, toJsonValue } from '@hubbub/protocol';
import { msgpackCodec } from '@hubbub/protocol/msgpack';

/** The frame in the other encoding; `undefined` when it cannot be read or written. */
export function transcode(from: Encoding, body: Uint8Array): Uint8Array | undefined {
  try {
    if (from === 'json') return msgpackCodec.encode(jsonCodec.decode(body) as Frame);
    return jsonCodec.encode(toJsonValue(msgpackCodec.decode(body)) as Frame);
  } catch {
    return undefined; // A malformed body: the caller counts and drops it.
  }
}
