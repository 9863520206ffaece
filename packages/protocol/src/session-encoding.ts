/** How a session's frames are written: an encoding of Hubbub's own frames, or another protocol that edges translate to. */
import type { Encoding } from './codec.js';
import type { Envelope, Position } from './envelope.js';
import { eventText, transcodeToEvent } from './event-stream/event.js';
import type { Frame } from './frame.js';
import { CODECS, msgpackCodec, transcode } from './msgpack-codec.js';
import { pusherText } from './pusher/event.js';
import { transcodeToPusher } from './pusher/transcode.js';
import { spliceRoom } from './splice.js';
import { toUtf8 } from './utf8.js';

/** `sse`: server-sent events without presence; `sse_presence`: with it. */
export const SESSION_ENCODINGS = ['json', 'msgpack', 'pusher', 'sse', 'sse_presence'] as const;
export type SessionEncoding = (typeof SESSION_ENCODINGS)[number];

/** The encoding in which what a session sends travels between processes. */
export function bodyEncoding(encoding: SessionEncoding): Encoding {
  return encoding === 'msgpack' ? 'msgpack' : 'json';
}

/** Whether the session reads server-sent events. */
export function isStreamEncoding(encoding: SessionEncoding): boolean {
  return encoding === 'sse' || encoding === 'sse_presence';
}

/** A frame that an edge makes, as text where the encoding is text; empty where the encoding has no form of it. */
export function encodeFor(encoding: SessionEncoding, frame: Frame): string | Uint8Array {
  switch (encoding) {
    case 'json':
      return JSON.stringify(frame);
    case 'msgpack':
      return msgpackCodec.encode(frame);
    case 'pusher':
      return pusherText(frame) ?? '';
    default:
      return eventText(frame, encoding === 'sse_presence');
  }
}

/** As {@link encodeFor}, always as bytes. */
export function encodeBytesFor(encoding: SessionEncoding, frame: Frame): Uint8Array {
  if (encoding === 'json' || encoding === 'msgpack') return CODECS[encoding].encode(frame);
  return toUtf8(encodeFor(encoding, frame) as string);
}

export interface TranscodedRoom {
  readonly name: string;
  /** As `roomPrefix` makes it for {@link bodyEncoding}. */
  readonly prefix: Uint8Array;
}

/**
 * The body of an envelope as sessions of an encoding get it: made once for all of them on an edge.
 * Empty where the encoding has no form of it; `undefined` where the body is malformed.
 */
export function transcodeFor(
  encoding: SessionEncoding,
  published: Pick<Envelope, 'encoding' | 'body'>,
  room: TranscodedRoom | undefined,
  position?: Position,
): Uint8Array | undefined {
  if (encoding === 'pusher') return transcodeToPusher(published, room?.name);
  if (encoding !== 'json' && encoding !== 'msgpack') {
    return transcodeToEvent(published, encoding === 'sse_presence', room?.prefix, position);
  }
  const body = transcode(published, encoding);
  return body === undefined || room === undefined ? body : spliceRoom(encoding, room.prefix, body, position);
}
