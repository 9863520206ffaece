/** Frames survive both encodings, and bytes that are no frame are refused without harm. */
import { ExtData, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Codec } from '../src/codec.js';
import { HubbubError } from '../src/errors.js';
import { jsonCodec, toJsonValue } from '../src/json-codec.js';
import { msgpackCodec } from '../src/msgpack-codec.js';
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

  test('refuses a frame that is cut off or goes on', () => {
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

  test('reaches JSON sessions as PROTOCOL.md section 2.3 says', () => {
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

  test('binary values of any content come back from their base64', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), bytes => {
        const { $base64 } = toJsonValue(bytes) as { $base64: string };
        expect(new Uint8Array(Buffer.from($base64, 'base64'))).toEqual(bytes);
      }),
    );
  });
});
