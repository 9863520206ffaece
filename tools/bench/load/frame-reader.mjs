/**
 * Cuts the byte stream of a WebSocket server into frames in place, without allocating.
 * It copies a frame only when a read ends in its middle.
 */

/** @typedef {(bytes: Uint8Array, opcode: number, start: number, length: number) => void} FrameSink payload in place */

export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

const NOTHING = Buffer.alloc(0);

export class FrameReader {
  /** The beginning of an incomplete frame. */
  #held = NOTHING;
  #heldLength = 0;
  #sink;

  /** @param {FrameSink} sink must be done with the bytes when it returns */
  constructor(sink) {
    this.#sink = sink;
  }

  /** @param {Uint8Array} bytes @param {number} start @param {number} end */
  read(bytes, start, end) {
    let at = this.#heldLength === 0 ? start : this.#complete(bytes, start, end);
    while (at < end) {
      const needed = bytesNeeded(bytes, at, end - at);
      if (needed > end - at) return this.#hold(bytes, at, end);
      this.#emit(bytes, at, needed);
      at += needed;
    }
  }

  /** Finishes the held frame as far as the bytes go; returns where the next one begins. */
  #complete(bytes, start, end) {
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

  #hold(bytes, at, end) {
    const length = this.#heldLength + end - at;
    if (length > this.#held.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#held.length, 512));
      larger.set(this.#held.subarray(0, this.#heldLength));
      this.#held = larger;
    }
    this.#held.set(bytes.subarray(at, end), this.#heldLength);
    this.#heldLength = length;
  }

  #emit(bytes, at, size) {
    const header = headerSize(bytes, at);
    this.#sink(bytes, bytes[at] & 0x0f, at + header, size - header);
  }
}

/** Servers do not mask, so the header is 2, 4 or 10 bytes. */
function headerSize(bytes, at) {
  const second = bytes[at + 1];
  return second < 126 ? 2 : second === 126 ? 4 : 10;
}

/** Size of the frame that begins at `at`; while its header is incomplete, a smaller number that is above `available`. */
function bytesNeeded(bytes, at, available) {
  if (available < 2) return 2;
  const header = headerSize(bytes, at);
  if (available < header) return header;
  if (header === 2) return 2 + bytes[at + 1];
  if (header === 4) return 4 + (bytes[at + 2] << 8) + bytes[at + 3];
  let length = 0;
  for (let i = at + 2; i < at + 10; i++) length = length * 256 + bytes[i];
  return 10 + length;
}
