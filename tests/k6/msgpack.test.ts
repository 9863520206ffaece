/** The codec that k6 runs equals the one that the edge runs. */
import { decode as referenceDecode, encode as referenceEncode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode, encode } from '../../k6/lib/msgpack.js';

const json = fc.jsonValue({ maxDepth: 3 }).filter(value => !JSON.stringify(value).includes('__proto__'));

test('the reference decoder reads its output', () => {
  fc.assert(
    fc.property(json, value => {
      expect(referenceDecode(encode(value))).toEqual(plain(value));
    }),
  );
});

test('it reads the output of the reference encoder', () => {
  fc.assert(
    fc.property(json, value => {
      expect(decode(bufferOf(referenceEncode(value)))).toEqual(plain(value));
    }),
  );
});

test.for([
  [
    'integers of every width',
    [0, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, -1, -32, -33, -129, -32_769],
  ],
  ['times in milliseconds', 1_795_250_601_693],
  ['long texts', ['x'.repeat(31), 'x'.repeat(32), 'ü'.repeat(300), 'x'.repeat(40_000)]],
  [
    'long lists and maps',
    [Array.from({ length: 20 }, () => 1), Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${n}`, n]))],
  ],
] as const)('%s, both ways', ([, value]) => {
  expect(referenceDecode(encode(value))).toEqual(value);
  expect(decode(bufferOf(referenceEncode(value)))).toEqual(value);
});

test('binary values are bytes, and timestamps are skipped', () => {
  const bytes = bufferOf(referenceEncode({ blob: Uint8Array.of(1, 2, 3), at: new Date(0), after: 'here' }));
  expect(decode(bytes)).toEqual({ blob: Uint8Array.of(1, 2, 3), at: undefined, after: 'here' });
});

test('a frame cut short is refused', () => {
  const bytes = bufferOf(referenceEncode({ type: 'new_message', payload: { n: 1 } }));
  for (let length = 0; length < bytes.byteLength; length++) {
    expect(() => decode(bytes.slice(0, length)), `${length} bytes`).toThrow(RangeError);
  }
});

/** JSON has no -0. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}
