/** A seeded generator: input number i of a run is a pure function of the run's seed and i, whatever came before it. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { skipN } from 'pure-rand/utils/skipN';

/** The first numbers of close seeds resemble each other. */
const SKIPPED = 32;
/** Spreads close numbers over all seeds: 2³² divided by the golden ratio. */
const SPREAD = 0x9e3779b1;
const HALF_CHARACTERS = 0.03;

export class Random {
  #generator;

  /** @param {number} seed of the run @param {number} [stream] number of the input */
  constructor(seed, stream = 0) {
    this.#generator = xoroshiro128plus(seed ^ Math.imul(stream, SPREAD));
    skipN(this.#generator, SKIPPED);
  }

  /** 0 to 2³² − 1. */
  next() {
    return this.#generator.next() >>> 0;
  }

  /** A whole number, both ends included. @param {number} min @param {number} max */
  int(min, max) {
    return uniformInt(this.#generator, min, max);
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
