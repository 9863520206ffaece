/** Encodes and decodes frames in the two encodings of the protocol. */
import { decode, encode } from './msgpack.js';

export type Encoding = 'json' | 'msgpack';

/** The fields of PROTOCOL.md section 2 that the scenarios read. */
export interface Frame {
  readonly type: string;
  readonly room?: string;
  readonly id?: string;
  readonly message_id?: string;
  readonly offset?: number;
  readonly payload?: Readonly<Record<string, unknown>>;
}

export const SUBPROTOCOLS: Readonly<Record<Encoding, string>> = {
  json: 'hubbub.v1.json',
  msgpack: 'hubbub.v1.msgpack',
};

export function encodeFrame(frame: Frame, encoding: Encoding): string | ArrayBuffer {
  return encoding === 'json' ? JSON.stringify(frame) : encode(frame);
}

/** @throws {TypeError} if the data is not a frame */
export function decodeFrame(data: unknown): Frame {
  const value: unknown =
    typeof data === 'string' ? JSON.parse(data) : data instanceof ArrayBuffer ? decode(data) : undefined;
  if (isFrame(value)) return value;
  throw new TypeError(`Not a frame: ${typeof data}`);
}

function isFrame(value: unknown): value is Frame {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
