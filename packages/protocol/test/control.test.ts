/** Controls: read as they were written, as control and as message, and nothing else is mistaken for one. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONTROL_REASON_MAX_BYTES, type Control, controlOfMessage, readControl } from '../src/control.js';
import { decodeEnvelope, encodeEnvelope } from '../src/envelope.js';
import { isUserId } from '../src/identifiers.js';
import { utf8Length } from '../src/limits.js';
import { hostileJson, roomName, text } from './arbitraries.js';

const reason = text(40).filter(value => utf8Length(value) <= CONTROL_REASON_MAX_BYTES);
const user = text(30).filter(isUserId);
const withReason = (fields: Readonly<Record<string, fc.Arbitrary<string>>>) => {
  const all: Record<string, fc.Arbitrary<string>> = { ...fields, reason };
  return fc.record(all, { requiredKeys: Object.keys(fields), noNullPrototype: true });
};

const control = fc.oneof(
  withReason({ do: fc.constantFrom('close_room', 'disconnect_user', 'refuse_sessions') }),
  withReason({ do: fc.constant('remove_user'), user }),
  withReason({ do: fc.constant('remove_sessions'), room: roomName }),
  fc.record(
    { do: fc.constant('add_sessions'), room: roomName, rights: fc.array(text(8), { maxLength: 3 }) },
    { requiredKeys: ['do', 'room'], noNullPrototype: true },
  ),
) as fc.Arbitrary<Control>;

describe('a control', () => {
  test('is read as it was written', () => {
    fc.assert(fc.property(control, sent => void expect(readControl(sent)).toEqual(sent)));
  });

  test('travels in an envelope', () => {
    fc.assert(
      fc.property(control, sent => {
        const envelope = encodeEnvelope({ encoding: 'json', publishedAtMs: 1, control: sent }, new Uint8Array());
        expect(decodeEnvelope(envelope)?.control).toEqual(sent);
      }),
    );
  });

  test('travels as a plain message', () => {
    fc.assert(
      fc.property(control, sent => {
        const { do: action, ...payload } = sent;
        expect(controlOfMessage({ type: `hubbub.${action}`, payload })).toEqual(sent);
      }),
    );
  });

  test('is defined by its type, whatever its payload contains', () => {
    expect(controlOfMessage({ type: 'hubbub.close_room', payload: { do: 'disconnect_user' } })).toEqual({
      do: 'close_room',
    });
  });

  test('of any shape is read without unknown fields, or refused', () => {
    const stranger = fc.oneof(
      fc.anything(),
      hostileJson,
      fc.record({
        do: fc.oneof(fc.constantFrom('close_room', 'remove_user', 'add_sessions', '__proto__', 'constructor'), text()),
        user: fc.oneof(fc.anything(), text()),
        room: fc.oneof(fc.anything(), roomName),
        rights: fc.anything(),
        reason: fc.oneof(fc.anything(), text(200)),
        extra: fc.anything(),
      }),
    );
    fc.assert(
      fc.property(stranger, value => {
        const read = readControl(value);
        if (read === undefined) return;
        expect(readControl(read)).toEqual(read);
        for (const name of Object.keys(read)) expect(['do', 'user', 'room', 'rights', 'reason']).toContain(name);
        if ('reason' in read) expect(utf8Length(read.reason ?? '')).toBeLessThanOrEqual(CONTROL_REASON_MAX_BYTES);
      }),
      { numRuns: 2000 },
    );
  });

  test('counts the bytes of its reason and not its characters', () => {
    const fits = 'é'.repeat(Math.floor(CONTROL_REASON_MAX_BYTES / 2));
    expect(readControl({ do: 'close_room', reason: fits })).toBeDefined();
    expect(readControl({ do: 'close_room', reason: `${fits}é` })).toBeUndefined();
  });
});
