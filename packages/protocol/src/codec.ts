/** The seam between frames and bytes: what JSON and MessagePack both do. */
import type { Frame } from './frame.js';

/** How a session's frames are written; also how an envelope's body is. */
export type Encoding = 'json' | 'msgpack';

export const ENCODINGS: readonly Encoding[] = ['json', 'msgpack'];

/** Turns values into bytes and back. Both implementations keep the field order they are given. */
export interface Codec {
  readonly encoding: Encoding;
  encode(frame: Frame): Uint8Array;
  /** @throws {HubbubError} `INVALID_FORMAT` when the bytes are not one complete value of this encoding. */
  decode(bytes: Uint8Array): unknown;
}
