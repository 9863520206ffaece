/** Frames as MessagePack. An entry of its own (`@hubbub/protocol/msgpack`), so that JSON-only browsers do not carry it. */
import { Decoder, Encoder, EXT_TIMESTAMP, ExtensionCodec } from '@msgpack/msgpack';
import type { Codec, Encoding } from './codec.js';
import type { Envelope } from './envelope.js';
import { HubbubError } from './errors.js';
import type { Frame } from './frame.js';
import { jsonCodec, toJsonValue } from './json-codec.js';
import { isOneMsgpackValue } from './msgpack-shape.js';

// A reused Encoder takes half the time of encode() (0.9 µs against 1.9 µs). ignoreUndefined: as JSON does.
const encoder = new Encoder({ ignoreUndefined: true });

/** Timestamps only: no JSON member of the room could be given anything else (PROTOCOL.md section 2.3). */
class TimestampsOnly extends ExtensionCodec {
  override decode(...[data, type, context]: Parameters<ExtensionCodec['decode']>): unknown {
    if (type !== EXT_TIMESTAMP) throw new Error(`extension type ${type} is not a timestamp`);
    return super.decode(data, type, context);
  }
}

const decoder = new Decoder({
  extensionCodec: new TimestampsOnly(),
  // JSON members of the room could not be given any other key.
  mapKeyConverter: key => {
    if (typeof key === 'string') return key;
    throw new Error(`a key is a ${typeof key}, not a string`);
  },
});

/** Takes whatever has the shape of MessagePack: nothing of it is forwarded. */
const lenientDecoder = new Decoder({
  extensionCodec: new (class extends ExtensionCodec {
    override decode(): unknown {
      return undefined;
    }
  })(),
  // The decoder throws at this one key.
  mapKeyConverter: key => (key === '__proto__' ? '' : String(key)),
});

const NOT_ONE_VALUE = 'The frame is not one complete MessagePack value.';

export const msgpackCodec: Codec = {
  encoding: 'msgpack',
  encode: frame => encoder.encode(frame),
  decode(bytes) {
    if (!isOneMsgpackValue(bytes)) throw new HubbubError('INVALID_FORMAT', NOT_ONE_VALUE);
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw new HubbubError('INVALID_FORMAT', NOT_ONE_VALUE, { cause });
    }
  },
};

export const CODECS: Readonly<Record<Encoding, Codec>> = { json: jsonCodec, msgpack: msgpackCodec };

/** Returns the body in the wanted encoding; `undefined` if it is malformed. */
export function transcode(
  { encoding, body }: Pick<Envelope, 'encoding' | 'body'>,
  wanted: Envelope['encoding'],
): Uint8Array | undefined {
  if (encoding === wanted) return body;
  try {
    if (encoding === 'json') return msgpackCodec.encode(jsonCodec.decode(body) as Frame);
    return jsonCodec.encode(toJsonValue(msgpackCodec.decode(body)) as Frame);
  } catch {
    return undefined;
  }
}

/** Reads as much as possible of bytes that {@link msgpackCodec} refuses; `undefined` if it can read nothing. */
export function readMalformedMsgpack(bytes: Uint8Array): unknown {
  if (!isOneMsgpackValue(bytes, false)) return undefined;
  try {
    return lenientDecoder.decode(bytes);
  } catch {
    return undefined; // Nested deeper than the decoder goes, for example.
  }
}
