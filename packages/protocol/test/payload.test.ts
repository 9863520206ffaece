/** Payloads are bounded in depth and keys, at bounded cost, and free of `__proto__`. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPlainObject, payloadProblem } from '../src/payload.js';
import { payload } from './arbitraries.js';

const wide = { max_payload_depth: 64, max_payload_keys: 100_000 };

/** An independent, recursive count of the bounds of `payloadProblem`. */
function measure(value: unknown): { depth: number; keys: number } {
  if (typeof value !== 'object' || value === null) return { depth: 0, keys: 0 };
  const children = Object.values(value).map(measure);
  return {
    depth: 1 + Math.max(0, ...children.map(child => child.depth)),
    keys: children.reduce((sum, child) => sum + child.keys, children.length),
  };
}

describe('a payload', () => {
  test('is accepted exactly up to the bounds', () => {
    fc.assert(
      fc.property(payload, value => {
        const { depth, keys } = measure(value);
        const exact = { max_payload_depth: depth, max_payload_keys: keys };
        expect(payloadProblem(value, exact)).toBeUndefined();
        expect(payloadProblem(value, { ...exact, max_payload_depth: depth - 1 })).toContain('nested deeper');
        if (keys > 0) expect(payloadProblem(value, { ...exact, max_payload_keys: keys - 1 })).toContain('more than');
      }),
    );
  });

  test('may not name __proto__, however deep', () => {
    expect(payloadProblem(JSON.parse('{"a":[{"__proto__":1}]}'), wide)).toBe('has the key __proto__');
    expect(payloadProblem(JSON.parse('{"a":{"constructor":{"prototype":1}}}'), wide)).toBeUndefined();
  });

  test('may be a hundred thousand levels deep and is refused without reading them', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown;
    expect(payloadProblem(deep, wide)).toContain('nested deeper');
  });

  test('counts binary values and dates as one', () => {
    const leaves = { bytes: new Uint8Array(5000), at: new Date() };
    expect(payloadProblem(leaves, { max_payload_depth: 1, max_payload_keys: 2 })).toBeUndefined();
  });
});

test('only objects and maps are plain objects', () => {
  expect([{}, { a: 1 }, JSON.parse('{}')].every(isPlainObject)).toBe(true);
  expect([null, undefined, 1, 'x', [], new Uint8Array(), new Date()].some(isPlainObject)).toBe(false);
});
