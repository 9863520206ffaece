/** A room spliced into an encoded frame gives the frame with its room, for both encodings and any payload. */
import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Encoding } from '../src/codec.js';
import { jsonCodec } from '../src/json-codec.js';
import { EPOCH_MAX_BYTES, utf8Length } from '../src/limits.js';
import { msgpackCodec } from '../src/msgpack-codec.js';
import { ROOM_NAME_MAX_BYTES } from '../src/room-name.js';
import { roomPrefix, spliceId, spliceRoom } from '../src/splice.js';
import { body, roomName, text } from './arbitraries.js';

function splice(encoding: Encoding, room: string, frame: Uint8Array): Uint8Array | undefined {
  return spliceRoom(encoding, roomPrefix(encoding, room), frame);
}

describe.for([jsonCodec, msgpackCodec])('in $encoding', codec => {
  test('the spliced frame is the frame and its room', () => {
    fc.assert(
      fc.property(body, roomName, (frame, room) => {
        const spliced = splice(codec.encoding, room, codec.encode(frame));
        expect(spliced && codec.decode(spliced)).toEqual({ room, ...frame });
      }),
    );
  });

  test('an id comes in front of what is there', () => {
    fc.assert(
      fc.property(
        body,
        fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme-ascii' }),
        ({ id: _, ...frame }, id) => {
          const spliced = spliceId(codec.encoding, id, codec.encode(frame));
          expect(spliced && codec.decode(spliced)).toEqual({ ...frame, id });
        },
      ),
    );
  });

  test('with a position it is the frame, its room, and offset and epoch', () => {
    const offset = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }));
    const epoch = text().filter(value => utf8Length(value) <= EPOCH_MAX_BYTES);
    fc.assert(
      fc.property(body, roomName, fc.record({ epoch, offset }), (frame, room, position) => {
        const spliced = spliceRoom(codec.encoding, roomPrefix(codec.encoding, room), codec.encode(frame), position);
        expect(spliced && codec.decode(spliced)).toEqual({ room, ...position, ...frame });
      }),
    );
  });

  test('the shortest and the longest room names fit', () => {
    for (const length of [1, 31, 32, ROOM_NAME_MAX_BYTES]) {
      const room = 'r'.repeat(length);
      const spliced = splice(codec.encoding, room, codec.encode({ type: 'x' }));
      expect(spliced && codec.decode(spliced)).toEqual({ room, type: 'x' });
    }
  });

  test('the body is left as it was, so that it can be spliced for other rooms', () => {
    const frame = codec.encode({ type: 'x', payload: { a: 1 } });
    const before = [...frame];
    splice(codec.encoding, 'general', frame);
    expect([...frame]).toEqual(before);
  });

  test('of any bytes nothing is made that does not begin as a frame with a room', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), bytes => {
        const spliced = splice(codec.encoding, 'general', bytes);
        if (spliced === undefined) return;
        const prefix = roomPrefix(codec.encoding, 'general');
        const start = codec.encoding === 'json' ? 0 : 1;
        expect([...spliced.subarray(start, start + prefix.length)]).toEqual([...prefix]);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a malformed body is refused', () => {
  test.for(['', '{', '{}', '{ }', '{\n}', '[1]', '"x"', 'null', ' {"type":"x"}', '{,}'])('JSON: %j', json => {
    expect(splice('json', 'general', Buffer.from(json))).toBeUndefined();
  });

  test.for([
    ['nothing', new Uint8Array()],
    ['an empty map', encode({})],
    ['an array', encode(['type', 'x'])],
    ['a map too large for a small head', encode(Object.fromEntries([...'abcdefghijklmno'].map(key => [key, 1])))],
  ] as const)('MessagePack: %s', ([, bytes]) => {
    expect(splice('msgpack', 'general', bytes)).toBeUndefined();
  });
});
