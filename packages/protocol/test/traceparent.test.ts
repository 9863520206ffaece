/** `traceparent` of W3C Trace Context, with the examples of its specification. */
import { expect, test } from 'vitest';
import { readTraceparent, sampledTraceparent, writeTraceparent } from '../src/traceparent.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

test.for([
  [`00-${traceId}-${spanId}-01`, true],
  [`00-${traceId}-${spanId}-00`, false],
  [`00-${traceId}-${spanId}-03`, true],
  [`cc-${traceId}-${spanId}-01-what-the-future-will-be-like`, true],
] as const)('reads %s', ([text, isSampled]) => {
  expect(readTraceparent(text)).toEqual({ traceId, spanId, isSampled });
});

test.for([
  ['another type', 7],
  ['upper case', `00-${traceId.toUpperCase()}-${spanId}-01`],
  ['the forbidden version', `ff-${traceId}-${spanId}-01`],
  ['more fields in version 00', `00-${traceId}-${spanId}-01-x`],
  ['a trace id of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
  ['a span id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['an id that is too short', `00-${traceId}-${spanId.slice(1)}-01`],
  ['a text without end', `cc-${traceId}-${spanId}-01-${'x'.repeat(1000)}`],
] as const)('refuses %s', ([, value]) => {
  expect(readTraceparent(value)).toBeUndefined();
});

test('keeps only sampled ones, in the form of version 00', () => {
  expect(sampledTraceparent(`cc-${traceId}-${spanId}-03-x`)).toBe(`00-${traceId}-${spanId}-01`);
  expect(sampledTraceparent(`00-${traceId}-${spanId}-00`)).toBeUndefined();
  expect(writeTraceparent({ traceId, spanId, isSampled: false })).toBe(`00-${traceId}-${spanId}-00`);
});
