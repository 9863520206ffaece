/** Sessions that recover simultaneously share the edge's turns. */
import { expect, test } from 'vitest';
import { ReplayTurns } from '../src/history/replay-turns.js';

const nextTurn = () => new Promise(resolve => setImmediate(resolve));

test('a turn carries a bounded number of bytes, in order of arrival', async () => {
  const turns = new ReplayTurns();
  const order: number[] = [];
  for (let asker = 0; asker < 8; asker++) {
    const turn = turns.take(100_000);
    if (turn === undefined) order.push(asker);
    else void turn.then(() => order.push(asker));
  }
  expect(order).toEqual([0, 1, 2]);
  await nextTurn();
  expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  expect(turns.take(1)).toBeInstanceOf(Promise);
  await nextTurn();
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('a replay larger than a turn is still sent', async () => {
  const turns = new ReplayTurns();
  expect(turns.take(10_000_000)).toBeUndefined();
  const next = turns.take(10_000_000);
  await next;
});

test('a quiet edge delays no replay', async () => {
  const turns = new ReplayTurns();
  for (let time = 0; time < 3; time++) {
    expect(turns.take(262_144)).toBeUndefined();
    await nextTurn();
  }
});

test('a turn of exactly the bound is full', () => {
  const turns = new ReplayTurns();
  expect(turns.take(262_144)).toBeUndefined();
  expect(turns.take(1)).toBeInstanceOf(Promise);
});
