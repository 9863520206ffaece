/** Writes and reads WebSocket frames (RFC 6455) by hand: load reads without allocating, and inputs may be wrong in any bit. */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Differences from a whole, masked frame. */
export interface WrongFrame {
  readonly fin?: boolean;
  /** 3 bits. */
  readonly rsv?: number;
  readonly masked?: boolean;
  /** 32 bits. */
  readonly mask?: number;
  /** The width of the length. */
  readonly lengthBits?: 7 | 16 | 64;
  /** Instead of the payload's. */
  readonly length?: bigint;
}

/** The bytes of one frame of a client. */
export function encodeFrame(opcode: number, payload: Uint8Array, wrong: WrongFrame = {}): Buffer {
  const { fin = true, rsv = 0, masked = true, mask = 0, length = BigInt(payload.length) } = wrong;
  const bits = wrong.lengthBits ?? (length < 126n ? 7 : length < 65_536n ? 16 : 64);
  const lengthBytes = bits === 7 ? 0 : bits / 8;
  const head = Buffer.alloc(2 + lengthBytes + (masked ? 4 : 0));
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (bits === 7 ? Number(length & 0x7fn) : bits === 16 ? 126 : 127);
  if (bits === 16) head.writeUInt16BE(Number(length & 0xffffn), 2);
  if (bits === 64) head.writeBigUInt64BE(BigInt.asUintN(64, length), 2);
  if (!masked) return Buffer.concat([head, payload]);
  head.writeUInt32BE(mask >>> 0, 2 + lengthBytes);
  if (mask === 0) return Buffer.concat([head, payload]); // A mask of zeros changes nothing.
  return Buffer.concat([head, payload.map((byte, i) => byte ^ (mask >>> (24 - 8 * (i & 3))))]);
}

export function encodeText(text: string, wrong?: WrongFrame): Buffer {
  return encodeFrame(OPCODE.text, Buffer.from(text), wrong);
}

/** Gets each frame in place, and must be done with the bytes when it returns. */
export type FrameSink = (bytes: Buffer, opcode: number, start: number, length: number) => void;

/** Cuts the bytes of a server into frames. It copies a frame only when a read ends in its middle. */
export class FrameReader {
  /** The beginning of an incomplete frame. */
  #held = Buffer.alloc(0);
  #heldLength = 0;
  readonly #sink: FrameSink;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  read(bytes: Buffer, start: number, end: number): void {
    let at = this.#heldLength === 0 ? start : this.#complete(bytes, start, end);
    while (at < end) {
      const needed = bytesNeeded(bytes, at, end - at);
      if (needed > end - at) {
        this.#hold(bytes, at, end);
        return;
      }
      this.#emit(bytes, at, needed);
      at += needed;
    }
  }

  /** Finishes the held frame as far as the bytes go; returns where the next one begins. */
  #complete(bytes: Buffer, start: number, end: number): number {
    let at = start;
    for (;;) {
      const needed = bytesNeeded(this.#held, 0, this.#heldLength);
      if (needed <= this.#heldLength) break;
      if (at === end) return at;
      const taken = Math.min(needed - this.#heldLength, end - at);
      this.#hold(bytes, at, at + taken);
      at += taken;
    }
    const length = this.#heldLength;
    this.#heldLength = 0;
    this.#emit(this.#held, 0, length);
    return at;
  }

  #hold(bytes: Buffer, at: number, end: number): void {
    const length = this.#heldLength + end - at;
    if (length > this.#held.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#held.length, 512));
      larger.set(this.#held.subarray(0, this.#heldLength));
      this.#held = larger;
    }
    this.#held.set(bytes.subarray(at, end), this.#heldLength);
    this.#heldLength = length;
  }

  #emit(bytes: Buffer, at: number, size: number): void {
    const header = headerSize(bytes, at);
    this.#sink(bytes, (bytes[at] as number) & 0x0f, at + header, size - header);
  }
}

/** Servers do not mask, so the header is 2, 4 or 10 bytes. */
function headerSize(bytes: Buffer, at: number): number {
  const second = bytes[at + 1] as number;
  return second < 126 ? 2 : second === 126 ? 4 : 10;
}

/** Size of the frame that begins at `at`; while its header is incomplete, a smaller number that is above `available`. */
function bytesNeeded(bytes: Buffer, at: number, available: number): number {
  if (available < 2) return 2;
  const header = headerSize(bytes, at);
  if (available < header) return header;
  if (header === 2) return 2 + (bytes[at + 1] as number);
  if (header === 4) return 4 + ((bytes[at + 2] as number) << 8) + (bytes[at + 3] as number);
  let length = 0;
  for (let i = at + 2; i < at + 10; i++) length = length * 256 + (bytes[i] as number);
  return 10 + length;
}
