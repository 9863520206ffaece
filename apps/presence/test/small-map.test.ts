/** A small map behaves as a `Map`, with few entries and with many. */
import { expect, test } from 'vitest';
import { SmallMap } from '../src/partition/small-map.js';

const OPERATIONS = 5000;

test.each([4, 40])('with %i keys it answers every call as a Map does', keys => {
  const small = new SmallMap<number>();
  const map = new Map<string, number>();
  let state = 1;
  const random = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  for (let number = 0; number < OPERATIONS; number++) {
    const key = `s${random(keys)}`;
    if (random(2) === 0) {
      small.set(key, number);
      map.set(key, number);
    } else {
      expect(small.delete(key)).toBe(map.delete(key));
    }
    const asked = `s${random(keys)}`;
    expect([small.get(asked), small.has(asked), small.size]).toEqual([map.get(asked), map.has(asked), map.size]);
    expect([...small]).toEqual([...map]);
  }
  expect([[...small.keys()], [...small.values()]]).toEqual([[...map.keys()], [...map.values()]]);
});
