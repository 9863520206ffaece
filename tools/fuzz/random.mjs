/**
 * A seeded generator: input number i of a run is a pure function of the run's seed and i, whatever came before it. The
 * algorithm is sfc32 (Chris Doty-Humphrey, PractRand), seeded by splitmix32 (Steele, Lea, Flood: "Fast Splittable
 * Pseudorandom Number Generators", 2014, with 32-bit constants).
 */

const ROUNDS_BEFORE_USE = 12;
const HALF_CHARACTERS = 0.03;

export class Random {
  #a;
  #b;
  #c;
  #counter = 1;

  /** @param {number} seed of the run @param {number} [stream] number of the input */
  constructor(seed, stream = 0) {
    const mix = splitmix32(seed ^ Math.imul(stream, 0x9e3779b1));
    this.#a = mix();
    this.#b = mix();
    this.#c = mix() ^ stream;
    for (let i = 0; i < ROUNDS_BEFORE_USE; i++) this.next();
  }

  /** 0 to 2³² − 1. */
  next() {
    const sum = (this.#a + this.#b + this.#counter++) >>> 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum;
  }

  /** A whole number, both ends included. @param {number} min @param {number} max */
  int(min, max) {
    return min + Math.floor((this.next() / 2 ** 32) * (max - min + 1));
  }

  /** @param {number} [probability] */
  chance(probability = 0.5) {
    return this.next() < probability * 2 ** 32;
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  pick(list) {
    return list[this.int(0, list.length - 1)];
  }

  /** @param {number} length */
  bytes(length) {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i += 4) {
      const word = this.next();
      for (let j = i; j < i + 4 && j < length; j++) bytes[j] = word >>> (8 * (j - i));
    }
    return bytes;
  }

  /** Visible ASCII, control characters, and characters of two to four bytes. @param {number} maxLength */
  text(maxLength) {
    let text = '';
    for (let left = this.int(0, maxLength); left > 0; left--) text += this.pick(ALPHABETS)(this);
    // A lone surrogate: valid in JSON, but not in UTF-8. Rare, because the edge refuses the whole frame.
    return this.chance(HALF_CHARACTERS) ? text + String.fromCharCode(this.int(0xd800, 0xdfff)) : text;
  }
}

const ascii = random => String.fromCharCode(random.int(0x20, 0x7e));
const ALPHABETS = [
  ascii,
  ascii,
  ascii,
  random => String.fromCharCode(random.int(0, 0x1f)),
  random => String.fromCharCode(random.int(0x80, 0xd7ff)),
  random => String.fromCodePoint(random.int(0x1_0000, 0x10_ffff)),
];

function splitmix32(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}
