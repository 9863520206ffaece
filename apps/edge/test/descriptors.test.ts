/** How many connections fit into the file descriptors of a process. */
import { closeSync, openSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { boundsOf, readConnectionBounds } from '../src/limits/descriptors.js';

test.each([
  ['a fifth is for refusals', 1000, { open: 1000, served: 800 }],
  ['never more than 1,024 are for refusals', 100_000, { open: 100_000, served: 98_976 }],
  ['a part of a connection counts as one', 11, { open: 11, served: 8 }],
  ['one connection is served and one refused, however few there are', 1, { open: 2, served: 1 }],
  ['also when more are in use than there should be', -50, { open: 2, served: 1 }],
])('%s: %i free', (_, free, bounds) => {
  expect(boundsOf(free)).toEqual(bounds);
});

describe.skipIf(readConnectionBounds(0) === undefined)('of this process', () => {
  const open = (reserved: number): number => readConnectionBounds(reserved)?.open ?? Number.NaN;

  test('reserved descriptors are not for connections', () => {
    expect(open(0) - open(100)).toBe(100);
  });

  test('descriptors in use are not for connections', () => {
    const before = open(0);
    const files = Array.from({ length: 20 }, () => openSync('/dev/null', 'r'));
    const during = open(0);
    for (const file of files) closeSync(file);
    expect(before - during).toBe(20);
    expect(open(0)).toBe(before);
  });
});
