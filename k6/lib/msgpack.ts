/**
 * MessagePack for frames, written for k6's interpreter. Native calls read and write text, and variables of the module hold
 * the state, not an object. `@msgpack/msgpack` loops over bytes and takes four times as long to decode there.
 */

const UINT32 = 4_294_967_296;
/** The default limit of frames is 4,096 bytes, and no scenario sends a larger one than this. */
const SCRATCH_BYTES = 65_536;

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder();
const scratch = new Uint8Array(SCRATCH_BYTES);
const scratchView = new DataView(scratch.buffer);

let bytes = scratch;
let view = scratchView;
let at = 0;

/** Encodes JSON values: null, booleans, numbers, text, lists and plain objects. @throws {TypeError} for other values. */
export function encode(value: unknown): ArrayBuffer {
  at = 0;
  write(value);
  return scratch.slice(0, at).buffer;
}

/** Decodes one value. Extensions (timestamps) become `undefined`: no scenario reads them. @throws {RangeError} if it is truncated. */
export function decode(data: ArrayBuffer): unknown {
  bytes = new Uint8Array(data);
  view = new DataView(data);
  at = 0;
  return read();
}

function write(value: unknown): void {
  if (typeof value === 'string') writeText(value);
  else if (typeof value === 'number') writeNumber(value);
  else if (value === null || value === undefined) scratch[at++] = 0xc0;
  else if (typeof value === 'boolean') scratch[at++] = value ? 0xc3 : 0xc2;
  else if (Array.isArray(value)) {
    writeLength(value.length, 0x90, 16, 0xdc);
    for (const item of value) write(item);
  } else if (typeof value === 'object') writeMap(value);
  else throw new TypeError(`MessagePack has no ${typeof value}`);
}

function writeMap(map: object): void {
  const entries = Object.entries(map).filter(([, value]) => value !== undefined);
  writeLength(entries.length, 0x80, 16, 0xde);
  for (const [key, value] of entries) {
    writeText(key);
    write(value);
  }
}

function writeText(text: string): void {
  const encoded = textEncoder.encode(text);
  writeLength(encoded.length, 0xa0, 32, 0xda);
  scratch.set(encoded, at);
  at += encoded.length;
}

/** Writes the length into the head below `shortLimit`, otherwise in 16 bits: frames are not longer. */
function writeLength(length: number, short: number, shortLimit: number, long: number): void {
  if (length < shortLimit) {
    scratch[at++] = short | length;
    return;
  }
  scratch[at++] = long;
  scratchView.setUint16(at, length);
  at += 2;
}

function writeNumber(value: number): void {
  if (Number.isInteger(value) && value >= 0 && value < 0x80) {
    scratch[at++] = value;
  } else if (Number.isInteger(value) && value >= 0 && value < UINT32) {
    scratch[at++] = 0xce;
    scratchView.setUint32(at, value);
    at += 4;
  } else {
    scratch[at++] = 0xcb; // A float holds every number, including times in milliseconds.
    scratchView.setFloat64(at, value);
    at += 8;
  }
}

function read(): unknown {
  const head = view.getUint8(step(1));
  if (head < 0x80) return head;
  if (head < 0x90) return readMap(head & 15);
  if (head < 0xa0) return readList(head & 15);
  if (head < 0xc0) return readText(head & 31);
  if (head >= 0xe0) return head - 0x100;
  return readTagged(head);
}

function readTagged(head: number): unknown {
  switch (head) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return readBinary(readUint(1 << (head - 0xc4)));
    case 0xc7:
    case 0xc8:
    case 0xc9:
      return skip(1 + readUint(1 << (head - 0xc7)));
    case 0xca:
      return view.getFloat32(step(4));
    case 0xcb:
      return view.getFloat64(step(8));
    case 0xcc:
    case 0xcd:
    case 0xce:
      return readUint(1 << (head - 0xcc));
    case 0xcf:
      return readUint(4) * UINT32 + readUint(4);
    case 0xd0:
      return view.getInt8(step(1));
    case 0xd1:
      return view.getInt16(step(2));
    case 0xd2:
      return view.getInt32(step(4));
    case 0xd3:
      return view.getInt32(step(4)) * UINT32 + readUint(4);
    case 0xd9:
    case 0xda:
    case 0xdb:
      return readText(readUint(1 << (head - 0xd9)));
    case 0xdc:
    case 0xdd:
      return readList(readUint(2 << (head - 0xdc)));
    case 0xde:
    case 0xdf:
      return readMap(readUint(2 << (head - 0xde)));
    default:
      if (head >= 0xd4 && head <= 0xd8) return skip(1 + (1 << (head - 0xd4)));
      throw new RangeError(`MessagePack has no head 0x${head.toString(16)}`);
  }
}

function readUint(size: number): number {
  const from = step(size);
  if (size === 1) return view.getUint8(from);
  return size === 2 ? view.getUint16(from) : view.getUint32(from);
}

function readText(length: number): string {
  const from = step(length);
  return textDecoder.decode(bytes.subarray(from, from + length));
}

function readBinary(length: number): Uint8Array {
  const from = step(length);
  return bytes.slice(from, from + length);
}

function readList(length: number): unknown[] {
  const list: unknown[] = [];
  for (let index = 0; index < length; index++) list.push(read());
  return list;
}

function readMap(length: number): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  for (let index = 0; index < length; index++) {
    const key = String(read());
    map[key] = read();
  }
  return map;
}

function skip(length: number): undefined {
  step(length);
  return undefined;
}

/** Returns the current offset, and advances by `length`. */
function step(length: number): number {
  const from = at;
  at += length;
  if (at > bytes.length) throw new RangeError('Truncated MessagePack');
  return from;
}
