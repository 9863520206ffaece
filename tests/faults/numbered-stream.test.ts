/** The checks of the fault tests must be able to fail. */
import { expect, test } from 'vitest';
import { descents, sameOrder, twice } from './witness.js';

test('finds a message that arrived twice', () => {
  expect(twice([1, 2, 3, 2])).toEqual([2]);
  expect(twice([1, 2, 3])).toEqual([]);
});

test('finds offsets that go back or repeat', () => {
  expect(descents([1, 2, 5, 4, 4])).toEqual([
    [5, 4],
    [4, 4],
  ]);
  expect(descents([1, 2, 5])).toEqual([]);
});

test('finds two orders, even if one member has fewer messages', () => {
  expect(sameOrder([1, 2, 3, 4], [2, 4])).toBe(true);
  expect(sameOrder([1, 2, 3, 4], [4, 2])).toBe(false);
});
