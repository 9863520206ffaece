/** Frames to what a socket carries and back: JSON as text, MessagePack as bytes (PROTOCOL.md section 2.3). */
import {
  type Codec,
  type Frame,
  HubbubError,
  isPlainObject,
  toJsonText,
  utf8Length,
  valueProblem,
} from '@hubbub/protocol';

/** The data of one WebSocket message. */
export type Wire = string | Uint8Array;

/** JSON needs no codec: a socket wants text, and bytes would only be decoded again. */
export type WireCodec = Codec | { readonly encoding: 'json' };

/** @throws {HubbubError} `INVALID_PAYLOAD` when the payload holds what the encoding cannot carry. */
export function writeFrame(codec: WireCodec, frame: Frame): Wire {
  let problem: string | undefined;
  let cause: unknown;
  try {
    problem = valueProblem(frame.payload ?? {}, 'payload');
    if (!problem) return codec.encoding === 'json' ? toJsonText(frame) : (codec as Codec).encode(frame);
  } catch (error) {
    problem = `payload cannot be sent as ${codec.encoding}`;
    cause = error;
  }
  throw new HubbubError('INVALID_PAYLOAD', problem, { cause });
}

/** @throws {HubbubError} `INVALID_FORMAT` when this is not one frame in this session's encoding. */
export function readFrame(codec: WireCodec, wire: Wire): Frame {
  const value = readValue(codec, wire);
  const { type, room = '', id = '' } = isPlainObject(value) ? value : {};
  // The fields that the SDK itself relies on; the rest is the application's to judge.
  if ([type, room, id].some(field => typeof field !== 'string')) throw notA('frame');
  return value as Frame;
}

export function notA(what: string, cause?: unknown): HubbubError {
  return new HubbubError('INVALID_FORMAT', `The data from the edge is not a ${what}.`, { cause });
}

function readValue(codec: WireCodec, wire: Wire): unknown {
  if ((typeof wire === 'string') !== (codec.encoding === 'json')) {
    throw notA(`${codec.encoding} frame`);
  }
  if (typeof wire !== 'string') return (codec as Codec).decode(wire);
  try {
    return JSON.parse(wire);
  } catch (cause) {
    throw notA('JSON text', cause);
  }
}

/** Size on the wire in bytes, as the edge's `max_frame_bytes` counts it. */
export function wireBytes(wire: Wire): number {
  return typeof wire === 'string' ? utf8Length(wire) : wire.length;
}
