/**
 * The messages of a room that follow some offset, without a hole up to where the room is: kept for a moment when sessions
 * recover, so that many share one read and the bytes of each message.
 */
import { type Encoding, roomPrefix, spliceRoom } from '@hubbub/protocol';
import { transcode } from './transcode.js';

export interface KeptMessage {
  readonly offset: number;
  readonly encoding: Encoding;
  readonly body: Uint8Array;
}

/** Whole frames, oldest first, and their size. */
export interface Replay {
  readonly frames: readonly Uint8Array[];
  readonly bytes: number;
}

/** RFC 6455 section 5.2: what stands before a frame on the wire, at most. */
const WEBSOCKET_HEADER_BYTES = 10;

interface Kept {
  readonly message: KeptMessage;
  /** Made when first wanted; `undefined` inside when the body is malformed. */
  readonly frames: Partial<Record<Encoding, { readonly bytes: Uint8Array | undefined }>>;
}

export class ReplayWindow {
  readonly #prefixes: Record<Encoding, Uint8Array>;
  readonly #maxMessages: number;
  /** Everything behind this offset is here. */
  #from: number;
  #kept: Kept[] = [];

  constructor(room: string, from: number, maxMessages: number) {
    this.#prefixes = { json: roomPrefix('json', room), msgpack: roomPrefix('msgpack', room) };
    this.#from = from;
    this.#maxMessages = maxMessages;
  }

  get from(): number {
    return this.#from;
  }

  /** The next live message. */
  push(message: KeptMessage): void {
    // Copied: a view would keep alive the whole chunk that it was received in.
    this.#kept.push({ message: { ...message, body: message.body.slice() }, frames: {} });
    if (this.#kept.length <= this.#maxMessages) return;
    this.#kept.shift();
    this.#from++;
  }

  /** Older messages, read from the history, oldest first. What does not reach up to the window is not taken. */
  prepend(messages: readonly KeptMessage[]): void {
    for (const message of messages.toReversed()) {
      if (message.offset > this.#from) continue;
      if (message.offset !== this.#from) return;
      this.#kept.unshift({ message, frames: {} });
      this.#from--;
    }
  }

  /** Everything behind `offset`, which is not before the window. */
  since(offset: number, encoding: Encoding): Replay {
    let bytes = 0;
    const frames: Uint8Array[] = [];
    for (const kept of this.#kept.slice(offset - this.#from)) {
      const frame = this.#frame(kept, encoding);
      if (frame === undefined) continue; // A malformed body reached nobody live either.
      bytes += frame.length + WEBSOCKET_HEADER_BYTES;
      frames.push(frame);
    }
    return { frames, bytes };
  }

  #frame({ message, frames }: Kept, encoding: Encoding): Uint8Array | undefined {
    frames[encoding] ??= { bytes: frameOf(message, encoding, this.#prefixes[encoding]) };
    return frames[encoding].bytes;
  }
}

function frameOf(message: KeptMessage, encoding: Encoding, prefix: Uint8Array): Uint8Array | undefined {
  const body = message.encoding === encoding ? message.body : transcode(message.encoding, message.body);
  return body && spliceRoom(encoding, prefix, body, message.offset);
}
