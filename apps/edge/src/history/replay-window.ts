/**
 * The messages of a room that follow some offset, without a hole up to the room's current one. It is kept for a moment when
 * sessions recover: many share one read, and the bytes of each message. Bounded in messages and bytes.
 */
import { type Encoding, type Frame, type Position, roomPrefix } from '@hubbub/protocol';
import { bodyEncoding, encodeBytesFor, type SessionEncoding, transcodeFor } from '@hubbub/protocol/session-encoding';
import type { Session } from '../sessions/session.js';
import type { ReplayMemory } from './replay-memory.js';
import { isLeftOut, type KeptMessage, roomOffsetFrame } from './room-message.js';

/** Whole frames, oldest first, and their size. */
export interface Replay {
  readonly frames: readonly Uint8Array[];
  readonly bytes: number;
}

export interface WindowBounds {
  readonly maxMessages: number;
  /** Of the bodies. */
  readonly maxBytes: number;
  /** Of all windows, their frames included. */
  readonly memory: ReplayMemory;
}

/** RFC 6455 section 5.2: the longest header of a frame. */
const WEBSOCKET_HEADER_BYTES = 10;
/** Of an object with its fields in V8: what a message costs beside its bytes. */
const MESSAGE_OVERHEAD_BYTES = 256;

interface Kept {
  readonly message: KeptMessage;
  /** Made when first wanted. */
  readonly frames: Partial<Record<SessionEncoding, Uint8Array>>;
}

export class ReplayWindow {
  readonly #room: string;
  readonly #prefixes: Record<Encoding, Uint8Array>;
  readonly #bounds: WindowBounds;
  /** Everything behind this offset is here. */
  #from: number;
  #kept: Kept[] = [];
  #bodyBytes = 0;
  /** Bodies, frames, and what keeps them. */
  #heldBytes = 0;
  #dropped = false;

  constructor(room: string, from: number, bounds: WindowBounds) {
    this.#room = room;
    this.#prefixes = { json: roomPrefix('json', room), msgpack: roomPrefix('msgpack', room) };
    this.#from = from;
    this.#bounds = bounds;
    bounds.memory.use(this, 0);
  }

  get from(): number {
    return this.#from;
  }

  /** Others needed the memory: nothing is here any more. */
  get dropped(): boolean {
    return this.#dropped;
  }

  /** Bodies that still fit. */
  get freeBytes(): number {
    return Math.max(0, this.#bounds.maxBytes - this.#bodyBytes);
  }

  /** The next live message. */
  push(message: KeptMessage): void {
    if (this.#dropped) return;
    // Copied: a view would keep alive the whole chunk that it was received in.
    this.#kept.push({ message: { ...message, body: message.body.slice() }, frames: {} });
    let held = this.#count(message, 1);
    while (this.#kept.length > this.#bounds.maxMessages || this.#bodyBytes > this.#bounds.maxBytes) {
      const oldest = this.#kept.shift();
      if (oldest === undefined) break;
      held += this.#count(oldest.message, -1) - bytesOf(oldest.frames);
      this.#from++;
    }
    this.#heldBytes += held;
    this.#bounds.memory.resize(held);
  }

  /** Older messages, read from the history, oldest first. Messages that do not reach up to the window are ignored. */
  prepend(messages: readonly KeptMessage[]): void {
    if (this.#dropped) return;
    const taken: Kept[] = [];
    let held = 0;
    for (const message of messages.toReversed()) {
      if (message.offset > this.#from) continue;
      if (message.offset !== this.#from) break;
      taken.push({ message, frames: {} });
      held += this.#count(message, 1);
      this.#from--;
    }
    this.#kept = [...taken.reverse(), ...this.#kept];
    this.#heldBytes += held;
    this.#bounds.memory.use(this, held);
  }

  /** Everything behind `offset`, which is not before the window, as this session gets it. */
  since(offset: number, session: Pick<Session, 'id' | 'user' | 'encoding'>): Replay {
    let bytes = 0;
    const frames: Uint8Array[] = [];
    for (const kept of this.#kept.slice(offset - this.#from)) {
      const frame = this.#frameFor(kept, session);
      if (frame.length === 0) continue; // The encoding has no form of it.
      bytes += frame.length + WEBSOCKET_HEADER_BYTES;
      frames.push(frame);
    }
    return { frames, bytes };
  }

  /** Somebody needs it now. */
  touch(): void {
    if (!this.#dropped) this.#bounds.memory.use(this, 0);
  }

  /** Frees everything; the window cannot be used any more. */
  drop(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    this.#bounds.memory.release(this, this.#heldBytes);
    this.#kept = [];
  }

  #frameFor(kept: Kept, session: Pick<Session, 'id' | 'user' | 'encoding'>): Uint8Array {
    const { message, frames } = kept;
    const { encoding } = session;
    if (isLeftOut(session, message)) return encodeBytesFor(encoding, roomOffsetFrame(this.#room, message));
    const known = frames[encoding];
    if (known !== undefined) return known;
    const frame = this.#frameOf(message, encoding);
    frames[encoding] = frame;
    this.#heldBytes += frame.length;
    this.#bounds.memory.resize(frame.length);
    return frame;
  }

  /** A message that cannot be made into a frame was lost on its way here: as a gap it is not silence. */
  #frameOf(message: KeptMessage, encoding: SessionEncoding): Uint8Array {
    const room = { name: this.#room, prefix: this.#prefixes[bodyEncoding(encoding)] };
    return transcodeFor(encoding, message, room, message) ?? encodeBytesFor(encoding, gapFrame(this.#room, message));
  }

  #count({ body }: KeptMessage, sign: 1 | -1): number {
    this.#bodyBytes += sign * body.length;
    return sign * (body.length + MESSAGE_OVERHEAD_BYTES);
  }
}

function gapFrame(room: string, { epoch, offset }: Position): Frame {
  const payload = { room_id: room, reason: 'too_old', epoch, offset };
  return { type: 'room_gap', room, payload, timestamp: new Date().toISOString() };
}

function bytesOf(frames: Kept['frames']): number {
  return Object.values(frames).reduce((sum, frame) => sum + frame.length, 0);
}
