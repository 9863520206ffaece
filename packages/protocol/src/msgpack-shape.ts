/**
 * Checks, without decoding it, whether bytes are one whole MessagePack value with its texts in UTF-8. The decoder reserves
 * room for as many items as an array claims: 5 bytes cost it 268 MB, and a hundred of them the process.
 */

/** Lengths of values by their first byte (the MessagePack specification, "Formats"): bytes behind it that are fixed, … */
const FIXED_BYTES: Readonly<Record<number, number>> = {
  ...{ 192: 0, 194: 0, 195: 0 }, // nil, false, true
  ...{ 202: 4, 203: 8, 204: 1, 205: 2, 206: 4, 207: 8, 208: 1, 209: 2, 210: 4, 211: 8 }, // numbers
  ...{ 212: 2, 213: 3, 214: 5, 215: 9, 216: 17 }, // fixext: a type and its data
};
/** … bytes of a length that follows, and how many bytes there are beside what it counts, … */
const COUNTED_BYTES: Readonly<Record<number, readonly [lengthBytes: number, more: number]>> = {
  ...{ 196: [1, 0], 197: [2, 0], 198: [4, 0] }, // bin
  ...{ 199: [1, 1], 200: [2, 1], 201: [4, 1] }, // ext: and its type
  ...{ 217: [1, 0], 218: [2, 0], 219: [4, 0] }, // str
};
/** … and bytes of a count that follows, with the values that each counted item is. */
const COUNTED_VALUES: Readonly<Record<number, readonly [countBytes: number, valuesEach: number]>> = {
  ...{ 220: [2, 1], 221: [4, 1] }, // array
  ...{ 222: [2, 2], 223: [4, 2] }, // map: a key and a value
};

/** Of the values with a counted length, the texts come last. */
const STR_8 = 0xd9;

/**
 * Time grows only with the number of bytes; nothing is allocated.
 * @param checksTexts whether texts must be UTF-8
 */
export function isOneMsgpackValue(bytes: Uint8Array, checksTexts = true): boolean {
  const end = bytes.length;
  let at = 0;
  /** Values still to come. Each takes a byte at least: more than are left cannot come. */
  let awaited = 1;
  while (awaited > 0) {
    if (awaited > end - at) return false;
    const head = bytes[at++] ?? 0;
    awaited--;
    if (head < 0x80 || head >= 0xe0) continue; // Small integers.
    if (head < 0x90) awaited += 2 * (head & 0x0f);
    else if (head < 0xa0) awaited += head & 0x0f;
    else if (head < 0xc0) {
      const length = head & 0x1f;
      if (checksTexts && !isUtf8(bytes, at, at + length)) return false;
      at += length;
    } else if (head in FIXED_BYTES) at += FIXED_BYTES[head] ?? 0;
    else {
      const [width, factor] = COUNTED_BYTES[head] ?? COUNTED_VALUES[head] ?? [0, 0];
      if (width === 0 || at + width > end) return false; // 0xc1 is never used.
      const count = readUnsigned(bytes, at, width);
      at += width;
      if (head in COUNTED_VALUES) awaited += count * factor;
      else {
        if (checksTexts && head >= STR_8 && !isUtf8(bytes, at, at + count)) return false;
        at += count + factor;
      }
    }
  }
  return at === end;
}

function readUnsigned(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = at; i < at + width; i++) value = value * 256 + (bytes[i] ?? 0);
  return value;
}

/**
 * RFC 3629 section 4: no continuation byte alone or missing, nothing longer than needed, no halves of surrogate pairs, nothing
 * above U+10FFFF. The decoder lets all of them pass, and the encoder would write them for readers in languages that do not.
 */
function isUtf8(bytes: Uint8Array, from: number, to: number): boolean {
  if (to > bytes.length) return false;
  for (let at = from; at < to; at++) {
    const lead = bytes[at] ?? 0;
    if (lead < 0x80) continue;
    const more = lead < 0xc2 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 0;
    if (more === 0 || at + more >= to) return false;
    const second = bytes[at + 1] ?? 0;
    if (lead === 0xe0 && second < 0xa0) return false;
    if (lead === 0xed && second > 0x9f) return false;
    if (lead === 0xf0 && second < 0x90) return false;
    if (lead === 0xf4 && second > 0x8f) return false;
    for (let i = 0; i < more; i++) {
      at++;
      if (((bytes[at] ?? 0) & 0xc0) !== 0x80) return false;
    }
  }
  return true;
}
