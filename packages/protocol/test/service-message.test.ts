/** Messages of services: kept as they are if valid, refused by the name of the wrong field, and always harmless. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HubbubError } from '../src/errors.js';
import { jsonCodec } from '../src/json-codec.js';
import { parsePlainMessage, parseServiceMessage } from '../src/service-message.js';
import { frameType, hostileJson, payload } from './arbitraries.js';

const short = fc.stringMatching(/^[ -~]{1,64}$/);
const fields = {
  type: frameType,
  payload,
  id: short,
  sender: fc.record({ id: short, name: short }, { noNullPrototype: true }),
  timestamp: short,
  key: short,
};
const message = fc.record(fields, { requiredKeys: ['type'], noNullPrototype: true });
const plain = fc.record(
  { ...fields, exclude_session: short, exclude_user: short, sessions: fc.array(short, { maxLength: 3 }) },
  { requiredKeys: ['type'], noNullPrototype: true },
);

describe('a message of a service', () => {
  test('keeps the fields of the Redis contract', () => {
    fc.assert(fc.property(message, sent => void expect(parseServiceMessage(sent)).toEqual(sent)));
    fc.assert(fc.property(plain, sent => void expect(parsePlainMessage(sent)).toEqual(sent)));
  });

  test('survives its way through Redis as JSON', () => {
    fc.assert(
      fc.property(message, sent => {
        const bytes = Buffer.from(JSON.stringify(sent));
        expect(parseServiceMessage(jsonCodec.decode(bytes))).toEqual(sent);
      }),
    );
  });

  test('loses the fields that only the edge writes, and unknown ones', () => {
    expect(parseServiceMessage({ type: 'x', room: 'general', offset: 7, admin: true })).toEqual({ type: 'x' });
  });

  test.for([
    ['type', {}],
    ['type', { type: null }],
    ['type', { type: 'Not A Type' }],
    ['id', { type: 'x', id: '' }],
    ['id', { type: 'x', id: 'é'.repeat(33) }],
    ['key', { type: 'x', key: '' }],
    ['sender', { type: 'x', sender: 'me' }],
    ['sender.name', { type: 'x', sender: { id: 'a' } }],
    ['timestamp', { type: 'x', timestamp: 7 }],
    ['payload', { type: 'x', payload: [] }],
    ['payload', { type: 'x', payload: 'text' }],
    ['payload', { type: 'x', payload: JSON.parse('{"a":{"__proto__":1}}') }],
    ['the message', null],
    ['the message', []],
    ['the message', 7],
  ] as const)('is refused by the name of what is wrong: %s in %j', ([field, sent]) => {
    const code = field === 'payload' ? 'INVALID_PAYLOAD' : 'INVALID_FORMAT';
    for (const parse of [parseServiceMessage, parsePlainMessage]) {
      expect(() => parse(sent)).toThrow(expect.objectContaining({ code }));
      expect(() => parse(sent)).toThrow(new RegExp(`^${field}`));
    }
  });

  test('of any shape is taken or refused, never another exception', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), hostileJson), sent => {
        for (const parse of [parseServiceMessage, parsePlainMessage]) {
          try {
            const { type } = parse(sent);
            expect(type).toMatch(/^[a-z][a-z0-9_.]*$/);
          } catch (error) {
            if (!(error instanceof HubbubError)) throw error;
            expect(['INVALID_FORMAT', 'INVALID_PAYLOAD']).toContain(error.code);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('that contains itself, or is a hundred thousand levels deep, is refused', () => {
    const own: Record<string, unknown> = {};
    own.own = own;
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`);
    for (const bad of [own, deep]) {
      expect(() => parseServiceMessage({ type: 'x', payload: bad })).toThrow(
        expect.objectContaining({ code: 'INVALID_PAYLOAD' }),
      );
    }
  });
});
