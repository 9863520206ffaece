/** Frames survive both encodings, and bytes that are not a frame are refused without harm. */
import { Decoder, ExtData, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Codec } from '../src/codec.js';
import { HubbubError } from '../src/errors.js';
import { jsonCodec, toJsonValue } from '../src/json-codec.js';
import { msgpackCodec } from '../src/msgpack-codec.js';
import { isOneMsgpackValue } from '../src/msgpack-shape.js';
import { body } from './arbitraries.js';

const codecs = [jsonCodec, msgpackCodec];

function refusalOf(codec: Codec, bytes: Uint8Array): unknown {
  try {
    codec.decode(bytes);
    return undefined;
  } catch (error) {
    return error;
  }
}

describe.for(codecs)('the codec for $encoding', codec => {
  test('gives back the frame it was given', () => {
    fc.assert(fc.property(body, frame => void expect(codec.decode(codec.encode(frame))).toEqual(frame)));
  });

  test('leaves out what is undefined', () => {
    const frame = { type: 'ack', payload: { a: undefined, b: 1 } };
    expect(codec.decode(codec.encode(frame))).toEqual({ type: 'ack', payload: { b: 1 } });
  });

  test('encodes one frame while another is still held', () => {
    const first = codec.encode({ type: 'first' });
    codec.encode({ type: 'other' });
    expect(codec.decode(first)).toEqual({ type: 'first' });
  });

  test('answers any bytes with a value or with INVALID_FORMAT', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        const refusal = refusalOf(codec, bytes);
        if (refusal !== undefined) expect(refusal).toMatchObject({ name: 'HubbubError', code: 'INVALID_FORMAT' });
      }),
      { numRuns: 2000 },
    );
  });

  test('refuses a frame that is cut off or has trailing bytes', () => {
    const whole = codec.encode({ type: 'ping', id: 'p1' });
    for (let length = 0; length < whole.length; length++) {
      expect(refusalOf(codec, whole.subarray(0, length))).toBeInstanceOf(HubbubError);
    }
    expect(refusalOf(codec, Uint8Array.from([...whole, ...whole]))).toBeInstanceOf(HubbubError);
  });
});

describe('JSON', () => {
  test('must be UTF-8', () => {
    expect(refusalOf(jsonCodec, Uint8Array.from([0x22, 0xff, 0x22]))).toBeInstanceOf(HubbubError);
  });

  test('as deep as it likes ends nothing', () => {
    const deep = new TextEncoder().encode('['.repeat(100_000));
    expect(refusalOf(jsonCodec, deep)).toBeInstanceOf(HubbubError);
  });
});

describe('text', () => {
  const frame = (json: string) => Buffer.from(`{"type":"x","payload":{${json}}}`);

  test.for([
    ['a first half alone', String.raw`"t":"\ud800"`],
    ['a second half alone', String.raw`"t":"a\uDC00b"`],
    ['halves in the wrong order', String.raw`"t":"\udc00\ud800"`],
    ['a half in a key', String.raw`"\ud83d":1`],
    ['a half behind a backslash', String.raw`"t":"\\\ud800"`],
  ] as const)('that is not valid Unicode is refused in JSON: %s', ([, json]) => {
    expect(refusalOf(jsonCodec, frame(json))).toMatchObject({ code: 'INVALID_FORMAT' });
  });

  test.for([String.raw`"t":"\ud83d\ude00"`, String.raw`"t":"\uD83D\uDE00!"`, String.raw`"t":"\\ud800"`, '"t":"😀"'])(
    'that only looks like it is taken: %s',
    json => expect(refusalOf(jsonCodec, frame(json))).toBeUndefined(),
  );

  test('that is not UTF-8 is refused in MessagePack exactly as the platform refuses it', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const isText = (bytes: Uint8Array): boolean => {
      try {
        strict.decode(bytes);
        return true;
      } catch {
        return false;
      }
    };
    const byte = fc.oneof(
      fc.nat(255),
      fc.constantFrom(0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5),
    );
    const random = fc.array(byte, { maxLength: 12 }).map(list => Uint8Array.from(list));
    const nearly = fc.tuple(fc.string({ unit: 'binary', maxLength: 8 }), random).map(([good, bad]) => {
      return Uint8Array.from([...new TextEncoder().encode(good), ...bad.subarray(0, 2)]);
    });
    fc.assert(
      fc.property(fc.oneof(random, nearly), bytes => {
        const short = bytes.length < 32 ? [Uint8Array.from([0xa0 | bytes.length, ...bytes])] : [];
        for (const value of [...short, Uint8Array.from([0xd9, bytes.length, ...bytes])]) {
          expect(isOneMsgpackValue(value)).toBe(isText(bytes));
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('MessagePack', () => {
  test.for([
    ['the key __proto__', encode(JSON.parse('{"a":{"__proto__":{"admin":true}}}'))],
    ['an extension type other than timestamp', encode({ a: new ExtData(7, Uint8Array.of(1)) })],
    ['a key that is a number', Uint8Array.of(0x81, 0x01, 0x02)],
    ['an array that claims four thousand million items', Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)],
    ['arrays as deep as it likes', new Uint8Array(100_000).fill(0x91)],
  ] as const)('is refused with %s', ([, bytes]) => {
    expect(refusalOf(msgpackCodec, bytes)).toMatchObject({ code: 'INVALID_FORMAT' });
  });

  test.for([
    ['an array', Uint8Array.of(0xdd, 0x01, 0xff, 0xff, 0xff)],
    ['arrays in each other', new Uint8Array(4096).map((_, i) => [0xdd, 0x01, 0xff, 0xff, 0xff][i % 5] ?? 0)],
    ['short arrays in each other', new Uint8Array(4095).map((_, i) => [0xdc, 0x0f, 0xff][i % 3] ?? 0)],
    ['a map', Uint8Array.of(0xdf, 0x01, 0xff, 0xff, 0xff)],
    ['a text', Uint8Array.of(0xdb, 0x7f, 0xff, 0xff, 0xff)],
  ] as const)('reserves no room for %s that claims millions of items', ([, bytes]) => {
    const heldBytes = process.memoryUsage().heapUsed;
    expect(refusalOf(msgpackCodec, bytes)).toMatchObject({ code: 'INVALID_FORMAT' });
    // 33,554,431 items are 268 MB, and 819 such arrays more than any heap has; other allocations stay far below 16 MiB.
    expect(process.memoryUsage().heapUsed - heldBytes).toBeLessThan(16 * 2 ** 20);
  });

  test('of any shape is one value exactly where the decoder reads one', () => {
    const decoder = new Decoder({ mapKeyConverter: key => key as string });
    const decodeOrUndefined = (bytes: Uint8Array): { value: unknown } | undefined => {
      try {
        return { value: decoder.decode(bytes) };
      } catch {
        return undefined;
      }
    };
    // Heads of every format, with lengths short enough for the reference decoder.
    const byte = fc.oneof(fc.nat(0xa0), fc.integer({ min: 0xc0, max: 0xdf }), fc.constant(0));
    const some = fc.array(byte, { maxLength: 40 }).map(list => Uint8Array.from(list));
    const claimsLittle = some.filter(bytes => !bytes.some(head => head === 0xdd || head === 0xdf));
    fc.assert(
      fc.property(
        fc.oneof(
          claimsLittle,
          body.map(frame => msgpackCodec.encode(frame)),
        ),
        bytes => {
          // The decoder also refuses keys such as lists and timestamps of a wrong size, and accepts text that is not UTF-8.
          const read = decodeOrUndefined(bytes);
          const hasOnlyAscii = read !== undefined && /^[\0-\x7f]*$/.test(JSON.stringify(read));
          if (hasOnlyAscii) expect(isOneMsgpackValue(bytes)).toBe(true);
        },
      ),
      { numRuns: 5000 },
    );
  });

  test('of every format and length is whole as the reference encoder writes it, and not when a byte is missing', () => {
    const lengths = [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536];
    const values = [
      ...[null, true, false, 0, 127, 128, 65_536, 2 ** 40, -1, -33, -129, -(2 ** 31), -(2 ** 40), 1.5],
      ...lengths.flatMap(length => [
        'x'.repeat(length),
        new Uint8Array(length),
        new ExtData(5, new Uint8Array(length)),
        Array(length).fill(1),
        Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, i])),
      ]),
      new Date(0),
      new Date(1),
      new Date(-1),
    ];
    for (const value of values) {
      const bytes = encode(value);
      expect(isOneMsgpackValue(bytes)).toBe(true);
      expect(isOneMsgpackValue(bytes.subarray(0, -1))).toBe(false);
      expect(isOneMsgpackValue(Uint8Array.from([...bytes, 0xc0]))).toBe(false);
    }
  });

  test('reaches JSON sessions as PROTOCOL.md section 2.3 documents', () => {
    const sent = {
      binary: Uint8Array.of(0xff, 0x00, 0x10),
      nested: [{ empty: new Uint8Array() }],
      timestamp: new Date('2026-01-02T03:04:05.678Z'),
      nan: Number.NaN,
      infinite: Number.NEGATIVE_INFINITY,
      same: { text: 'é', number: 1.5, none: null, yes: true },
    };
    const received = msgpackCodec.decode(msgpackCodec.encode({ type: 'x', payload: sent }));
    expect(JSON.parse(JSON.stringify(toJsonValue(received)))).toEqual({
      type: 'x',
      payload: {
        binary: { $base64: '/wAQ' },
        nested: [{ empty: { $base64: '' } }],
        timestamp: '2026-01-02T03:04:05.678Z',
        nan: null,
        infinite: null,
        same: { text: 'é', number: 1.5, none: null, yes: true },
      },
    });
  });

  test('without binary values is the same in JSON', () => {
    fc.assert(fc.property(body, frame => void expect(toJsonValue(frame)).toEqual(frame)));
  });

  test('binary values of any content survive their base64 form', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), bytes => {
        const { $base64 } = toJsonValue(bytes) as { $base64: string };
        expect(new Uint8Array(Buffer.from($base64, 'base64'))).toEqual(bytes);
      }),
    );
  });
});
