/** Reads what a service in any language PUBLISHes as plain JSON (PROTOCOL.md section 7). */
import { type Envelope, type Frame, jsonCodec } from '@hubbub/protocol';
import { parseServiceMessage } from '@hubbub/protocol/service-message';

/** The message as an envelope; `undefined` when it is malformed. */
export function readServiceMessage(bytes: Uint8Array): Envelope | undefined {
  const now = new Date();
  let frame: Frame;
  try {
    frame = { timestamp: now.toISOString(), ...parseServiceMessage(jsonCodec.decode(bytes)) };
  } catch {
    return undefined; // Not JSON, or not a message: the caller counts and drops it.
  }
  return { encoding: 'json', publishedAtMs: now.getTime(), body: jsonCodec.encode(frame) };
}
