/** Text from others cannot control the terminal that commands print to, in tables and in JSON. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { harmless, harmlessJson } from '../src/printing.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not come out.
const DRIVES = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

test('C1 control characters are escaped, like C0 ones', () => {
  expect(harmless('\u009b31m\u001b[31m')).toBe('\\u009b31m\\u001b[31m');
  expect(harmlessJson({ name: '\u009b31m\u202e' })).toBe('{"name":"\\u009b31m\\u202e"}');
});

test('JSON keeps its value, and contains no control characters', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), value => {
      const json = harmlessJson(value);
      expect(json).not.toMatch(DRIVES);
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(JSON.parse(harmlessJson(value, 2))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
