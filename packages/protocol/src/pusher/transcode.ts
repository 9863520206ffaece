/** The body of an envelope as an event of the Pusher protocol: made once for all its recipients on an edge. */
import type { Envelope } from '../envelope.js';
import type { Frame } from '../frame.js';
import { jsonCodec, toJsonValue } from '../json-codec.js';
import { msgpackCodec } from '../msgpack-codec.js';
import { isPlainObject } from '../payload.js';
import { toUtf8 } from '../utf8.js';
import { pusherText } from './event.js';

const NOTHING = new Uint8Array(0);

/** Empty where the protocol has no event for it; `undefined` where the body is malformed. */
export function transcodeToPusher(
  { encoding, body }: Pick<Envelope, 'encoding' | 'body'>,
  room: string | undefined,
): Uint8Array | undefined {
  try {
    const frame = encoding === 'json' ? jsonCodec.decode(body) : toJsonValue(msgpackCodec.decode(body));
    if (!isPlainObject(frame) || typeof frame.type !== 'string') return undefined;
    const { type, payload, id } = frame;
    const text = pusherText({ type, room, payload, id } as Frame);
    return text === undefined ? NOTHING : toUtf8(text);
  } catch {
    return undefined; // The caller counts and drops it.
  }
}
