/** Frames to what a socket carries and back: JSON as text, MessagePack as bytes (PROTOCOL.md section 2.3). */
import {
  type Codec,
  type Frame,
  HubbubError,
  isPlainObject,
  toJsonValue,
  utf8Length,
  valueProblem,
} from '@hubbub/protocol';

/** What a socket carries. */
export type Wire = string | Uint8Array;

/** JSON needs no codec: a socket wants text, and bytes would only be decoded again. */
export type WireCodec = Codec | { readonly encoding: 'json' };

/** @throws {HubbubError} `INVALID_PAYLOAD` when the payload holds what the encoding cannot carry. */
export function writeFrame(codec: WireCodec, frame: Frame): Wire {
  let problem: string | undefined;
  try {
    problem = valueProblem(frame.payload ?? {}, 'payload');
    if (!problem)
      return codec.encoding === 'json' ? JSON.stringify(toJsonValue(frame)) : (codec as Codec).encode(frame);
  } catch (cause) {
    throw new HubbubError('INVALID_PAYLOAD', `The payload cannot be written as ${codec.encoding}.`, { cause });
  }
  throw new HubbubError('INVALID_PAYLOAD', problem);
}

/** @throws {HubbubError} `INVALID_FORMAT` when this is not one frame in this session's encoding. */
export function readFrame(codec: WireCodec, wire: Wire): Frame {
  const value = readValue(codec, wire);
  if (!isPlainObject(value) || typeof value.type !== 'string') {
    throw new HubbubError('INVALID_FORMAT', 'What arrived is not an object with a type.');
  }
  // The fields that the SDK itself relies on; the rest is the application's to judge.
  for (const field of ['room', 'id'] as const) {
    if (value[field] !== undefined && typeof value[field] !== 'string') {
      throw new HubbubError('INVALID_FORMAT', `The ${field} of what arrived is not a string.`);
    }
  }
  return value as unknown as Frame;
}

function readValue(codec: WireCodec, wire: Wire): unknown {
  if ((typeof wire === 'string') !== (codec.encoding === 'json')) {
    throw new HubbubError('INVALID_FORMAT', `What arrived is not ${codec.encoding}.`);
  }
  if (typeof wire !== 'string') return (codec as Codec).decode(wire);
  try {
    return JSON.parse(wire);
  } catch (cause) {
    throw new HubbubError('INVALID_FORMAT', 'What arrived is not JSON.', { cause });
  }
}

/** Size on the wire in bytes, as the edge's `max_frame_bytes` counts it. */
export function wireBytes(wire: Wire): number {
  return typeof wire === 'string' ? utf8Length(wire) : wire.length;
}
