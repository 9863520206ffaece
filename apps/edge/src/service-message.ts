/** Reads what a service in any language PUBLISHes as plain JSON (PROTOCOL.md section 7). */
import { CONTROL_TYPE_PREFIX, controlOfMessage, type Envelope, type Frame, jsonCodec } from '@hubbub/protocol';
import { parseServiceMessage } from '@hubbub/protocol/service-message';

const NO_BODY = new Uint8Array(0);

/** The message as an envelope; `undefined` when it is malformed. */
export function readServiceMessage(bytes: Uint8Array): Envelope | undefined {
  const now = new Date();
  let frame: Frame;
  let key: string | undefined;
  try {
    const { key: conflationKey, ...message } = parseServiceMessage(jsonCodec.decode(bytes));
    key = conflationKey;
    frame = { timestamp: now.toISOString(), ...message };
    if (frame.type.startsWith(CONTROL_TYPE_PREFIX)) return controlEnvelope(frame, now);
  } catch {
    return undefined; // Not JSON, or not a message: the caller counts and drops it.
  }
  const header = { encoding: 'json', publishedAtMs: now.getTime(), body: jsonCodec.encode(frame) } as const;
  return key === undefined ? header : { ...header, conflationKey: key };
}

/** `undefined` for a control that there is not, or with a wrong field: it must not reach clients as a frame. */
function controlEnvelope(frame: Frame, now: Date): Envelope | undefined {
  const control = controlOfMessage(frame);
  return control && { encoding: 'json', publishedAtMs: now.getTime(), control, body: NO_BODY };
}
