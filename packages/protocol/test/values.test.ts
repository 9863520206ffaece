/** The table of values (PROTOCOL.md section 2.3): both encodings carry all of them, and neither changes one silently. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Payload } from '../src/frame.js';
import { jsonCodec, toJsonValue } from '../src/json-codec.js';
import { msgpackCodec } from '../src/msgpack-codec.js';
import { valueProblem } from '../src/values.js';
import { CIRCULAR, REFUSED_VALUES } from './refused-values.js';

const problem = (payload: unknown) => valueProblem(payload, 'payload');

describe('a payload', () => {
  test.each(REFUSED_VALUES)('with %s is refused by its path', (_, payload, text) => {
    expect(problem(payload)).toContain(text);
  });

  test('that contains itself is refused', () => {
    expect(problem(CIRCULAR)).toContain('more than 64 levels cannot be sent');
  });

  test.each<[string, unknown]>([
    ['scalars', { a: null, b: true, c: 1.5, d: 'grüß 😀', e: -0 }],
    ['nested objects and arrays', { a: [{ b: [[]] }, {}] }],
    ['a key without a value', { a: undefined }],
    ['bytes', { a: new Uint8Array(3), b: Buffer.from('x') }],
    ['a date', { a: new Date(0) }],
    ['an object without a prototype', { a: Object.create(null) }],
  ])('with %s is taken', (_, payload) => expect(problem(payload)).toBeUndefined());

  test('that is taken arrives in both encodings as the table has it', () => {
    const scalar = fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.string({ unit: 'binary' }),
      fc.uint8Array(),
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') }),
    );
    const key = fc.string({ unit: 'binary' }).filter(name => name !== '__proto__');
    const { payload } = fc.letrec(tie => ({
      value: fc.oneof({ maxDepth: 4 }, scalar, fc.array(tie('value')), fc.dictionary(key, tie('value'))),
      payload: fc.dictionary(key, tie('value')),
    }));
    fc.assert(
      fc.property(payload, value => {
        expect(problem(value)).toBeUndefined();
        const frame = { type: 'a', payload: value as Payload };
        const packed = msgpackCodec.decode(msgpackCodec.encode(frame)) as { payload: unknown };
        const json = jsonCodec.decode(jsonCodec.encode(toJsonValue(frame) as typeof frame)) as { payload: unknown };
        // A MessagePack session gets exactly the sent value; JSON has its documented forms of bytes and dates.
        expect(JSON.stringify(toJsonValue(packed.payload))).toBe(JSON.stringify(toJsonValue(value)));
        expect(JSON.stringify(json.payload)).toBe(JSON.stringify(toJsonValue(value)));
      }),
    );
  });
});
