/** What checks the faults must itself be able to fail. */
import { expect, test } from 'vitest';
import { descents, sameOrder, twice } from './numbered-stream.js';

test('a message that came twice is found', () => {
  expect(twice([1, 2, 3, 2])).toEqual([2]);
  expect(twice([1, 2, 3])).toEqual([]);
});

test('offsets that go back, or stand still, are found', () => {
  expect(descents([1, 2, 5, 4, 4])).toEqual([
    [5, 4],
    [4, 4],
  ]);
  expect(descents([1, 2, 5])).toEqual([]);
});

test('two orders are found, also where one member has less', () => {
  expect(sameOrder([1, 2, 3, 4], [2, 4])).toBe(true);
  expect(sameOrder([1, 2, 3, 4], [4, 2])).toBe(false);
});
