/** Envelopes carry header and body unchanged, and any bytes on a channel are read without harm. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Control } from '../src/control.js';
import {
  decodeEnvelope,
  type EnvelopeHeader,
  encodeEnvelope,
  encodeEnvelopeHead,
  isEnvelope,
  positionEnvelope,
} from '../src/envelope.js';
import { EPOCH_MAX_BYTES, utf8Length } from '../src/limits.js';
import { isConflationKey } from '../src/text.js';
import { WIRE_VERSION } from '../src/wire-version.js';
import { roomName, text } from './arbitraries.js';

const header: fc.Arbitrary<EnvelopeHeader> = fc.record(
  {
    encoding: fc.constantFrom('json', 'msgpack'),
    publishedAtMs: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    version: fc.constant(WIRE_VERSION),
    excludeSession: text(),
    notifyExcluded: fc.constant(true as const),
    excludeUser: text(),
    sessions: fc.array(text(), { maxLength: 5 }),
    questions: fc.array(fc.nat(), { maxLength: 5 }),
    room: roomName,
    probe: fc.nat(),
    conflationKey: text().filter(isConflationKey),
    traceparent: fc.constant('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
    control: fc.constantFrom<Control>(
      { do: 'close_room' },
      { do: 'close_room', reason: 'größe' },
      { do: 'remove_user', user: 'u1', reason: '' },
      { do: 'disconnect_user', reason: 'x'.repeat(123) },
    ),
  },
  { requiredKeys: ['encoding', 'publishedAtMs'], noNullPrototype: true },
);

const bytes = fc.uint8Array({ maxLength: 300 });

function withHeader(json: string): Uint8Array {
  return Buffer.from(`\u0001${json}\u0002{"type":"x"}`);
}

describe('an envelope', () => {
  test('gives back its header and its body, whatever is in them', () => {
    fc.assert(
      fc.property(header, bytes, (fields, body) => {
        const { body: received, ...rest } = decodeEnvelope(encodeEnvelope(fields, body)) ?? { body: undefined };
        expect(rest).toEqual(fields);
        expect([...(received ?? [])]).toEqual([...body]);
      }),
    );
  });

  test('costs no byte where it is not traced', () => {
    const header = { encoding: 'json', publishedAtMs: 1_700_000_000_000, traceparent: undefined } as const;
    expect(Buffer.from(encodeEnvelope(header, Buffer.from('{}'))).toString()).toBe(
      '\u0001{"e":"j","t":1700000000000}\u0002{}',
    );
  });

  test('loses a malformed or declined traceparent, and nothing else', () => {
    const ids = '4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7';
    for (const given of [`"00-${ids}-00"`, `"ff-${ids}-01"`, '"00-x"', '7', 'null', '{}']) {
      const { body, ...rest } = decodeEnvelope(withHeader(`{"e":"j","t":1,"w":${given}}`)) ?? {};
      expect(rest).toEqual({ encoding: 'json', publishedAtMs: 1 });
      expect(body).toHaveLength('{"type":"x"}'.length);
    }
  });

  test('takes its position without another change', () => {
    const place = fc.record({
      epoch: text().filter(epoch => utf8Length(epoch) <= EPOCH_MAX_BYTES),
      offset: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    });
    fc.assert(
      fc.property(header, place, bytes, (fields, position, body) => {
        const placed = positionEnvelope(encodeEnvelope(fields, body), position);
        const { body: received, ...rest } = decodeEnvelope(placed) ?? { body: undefined };
        expect(rest).toEqual({ ...fields, ...position });
        expect([...(received ?? [])]).toEqual([...body]);
      }),
    );
  });

  test('is distinguished from the plain JSON of a service', () => {
    fc.assert(fc.property(header, bytes, (fields, body) => isEnvelope(encodeEnvelope(fields, body))));
  });

  test('has the same bytes when it is written as text', () => {
    fc.assert(
      fc.property(header, fc.string({ unit: 'grapheme' }), (fields, text) => {
        expect(Buffer.from(encodeEnvelopeHead(fields) + text)).toEqual(
          Buffer.from(encodeEnvelope(fields, Buffer.from(text))),
        );
      }),
    );
    expect(isEnvelope(Buffer.from('{"type":"build.finished"}'))).toBe(false);
    expect(isEnvelope(new Uint8Array())).toBe(false);
  });

  test('of any bytes is read or refused, never an exception', () => {
    const startsLikeOne = bytes.map(rest => Uint8Array.from([1, ...rest]));
    fc.assert(
      fc.property(fc.oneof(bytes, startsLikeOne), received => void decodeEnvelope(received)),
      { numRuns: 2000 },
    );
  });

  test.for([
    '',
    'null',
    '[]',
    '"j"',
    '{"e":"j"}',
    '{"t":1}',
    '{"e":"x","t":1}',
    '{"e":"j","t":"1"}',
    '{"e":"j","t":null}',
    '{"e":"j","t":1,"x":2}',
    '{"e":"j","t":1,"x":null}',
    '{"e":"j","t":1,"n":1}',
    '{"e":"j","t":1,"s":"s1"}',
    '{"e":"j","t":1,"s":[1]}',
    '{"e":"j","t":1,"r":{}}',
    '{"e":"j","t":1,"p":"1"}',
    '{"e":"j","t":1,"c":null}',
    '{"e":"j","t":1,"c":{"do":"close"}}',
    '{"e":"j","t":1,"c":{"do":"close_room","reason":7}}',
    '{"e":"j","t":1,"c":{"do":"remove_user"}}',
    '{"e":"j","t":1,"c":{"do":"remove_user","user":""}}',
    '{"e":"j","t":1,"k":7}',
    '{"e":"j","t":1,"k":""}',
    '{"e":"j","t":1,"o":1}',
    '{"e":"j","t":1,"h":"a"}',
    '{"e":"j","t":1,"o":"1","h":"a"}',
    '{"e":"j","t":1,"o":1.5,"h":"a"}',
    '{"e":"j","t":1,"o":0,"h":"a"}',
    `{"e":"j","t":1,"o":1,"h":"${'a'.repeat(129)}"}`,
    '{"e":"j","t":1',
  ])('with the header %s is refused', json => {
    expect(decodeEnvelope(withHeader(json))).toBeUndefined();
  });

  test('without a body mark, or with a header that is not UTF-8, is refused', () => {
    expect(decodeEnvelope(Buffer.from('\u0001{"e":"j","t":1}'))).toBeUndefined();
    expect(decodeEnvelope(Uint8Array.of(1, 0x22, 0xff, 0x22, 2))).toBeUndefined();
  });
});
