/** Whole numbers as decimal digits of a fixed width, written and read in place. */

const ZERO = 0x30;

/** @param {Uint8Array} bytes @param {number} at @param {number} width @param {number} value */
export function writeDigits(bytes, at, width, value) {
  let rest = value;
  for (let i = at + width - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10);
    bytes[i] = ZERO + (rest - tenth * 10);
    rest = tenth;
  }
}

/** Other bytes than digits give a wrong number; the check of the order finds it. @returns {number} */
export function readDigits(bytes, at, width) {
  let value = 0;
  for (let i = at; i < at + width; i++) value = value * 10 + (bytes[i] - ZERO);
  return value;
}
