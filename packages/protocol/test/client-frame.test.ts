/** Frames from clients: checked, refused with the name of the wrong field, and without the fields that only the edge sets. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseClientFrame } from '../src/client-frame.js';
import { HubbubError } from '../src/errors.js';
import { frameType, hostileJson, payload, roomName } from './arbitraries.js';

/** A frame with a hostile value in each field. */
const hostileFields = fc.record({ type: hostileJson, room: hostileJson, id: hostileJson, payload: hostileJson });

describe('a frame of a client', () => {
  test('keeps its type, room, id and payload', () => {
    const frame = fc.record(
      { type: frameType, room: roomName, id: fc.stringMatching(/^[ -~]{1,64}$/), payload },
      { requiredKeys: ['type'], noNullPrototype: true },
    );
    fc.assert(fc.property(frame, sent => void expect(parseClientFrame(sent)).toEqual(sent)));
  });

  test('loses the fields that only the edge may set, and unknown ones', () => {
    const sent = { type: 'ping', sender: { id: 'root' }, timestamp: 'x', offset: 7, admin: true };
    expect(parseClientFrame(sent)).toEqual({ type: 'ping' });
  });

  test('takes null for an absent field, as programs that fill in every field write it', () => {
    const sent = { type: 'ping', room: null, id: null, payload: { a: 1 } };
    expect(parseClientFrame(sent)).toEqual({ type: 'ping', payload: { a: 1 } });
  });

  test.for([
    ['the frame', null],
    ['the frame', 'ping'],
    ['the frame', ['ping']],
    ['type', {}],
    ['type', { type: 7 }],
    ['type', { type: 'Not A Type' }],
    ['type', JSON.parse('{"__proto__":{"type":"ping"}}')],
    ['room', { type: 'ping', room: 7 }],
    ['id', { type: 'ping', id: '' }],
    ['id', { type: 'ping', id: 7 }],
    ['id', { type: 'ping', id: 'é'.repeat(33) }],
    ['id', { type: 'ping', id: { length: { toString: 1, valueOf: 1 } } }],
  ] as const)('is refused by the name of what is wrong: %s in %j', ([field, sent]) => {
    expect(() => parseClientFrame(sent)).toThrow(expect.objectContaining({ code: 'INVALID_FORMAT' }));
    expect(() => parseClientFrame(sent)).toThrow(new RegExp(`^${field}: `));
  });

  test('of any shape is taken or refused, never another exception', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), hostileJson, hostileFields), sent => {
        try {
          parseClientFrame(sent);
        } catch (error) {
          expect(error).toBeInstanceOf(HubbubError);
        }
      }),
    );
  });
});
