/** Every parser of bytes from outside is linear: ten times the length costs at most fifteen times the time. */
import { afterAll, expect, test } from 'vitest';
import { type Growth, MAX_RATIO, measureGrowth } from './growth.js';
import { ENDINGS, PARSERS, SHAPES } from './inventory.js';

const unmeasured: string[] = [];
let measured = 0;

test.each(Object.entries(PARSERS))('%s', { timeout: 120_000 }, (name, { before = '', parse }) => {
  const steep: string[] = [];
  for (const [shape, textOf] of SHAPES) {
    for (const ending of ENDINGS) {
      if (steep.length > 0) break; // One is enough to repair, and steep ones are slow.
      const growth = measureGrowth(parse, length => `${before}${textOf(length)}${ending}`);
      const input = `${before}${shape}…${JSON.stringify(ending)}`;
      if (growth.verdict === 'steeper') steep.push(`${input}: ${inWords(growth)}`);
      if (growth.verdict === 'not measured') unmeasured.push(`${name}, ${input}: ${inWords(growth)}`);
      else measured++;
    }
  }
  expect(steep, `steeper than ${MAX_RATIO} times for 10 times the length`).toEqual([]);
});

afterAll(() => {
  if (unmeasured.length > 0) console.warn(`not measured, the machine was busy:\n  ${unmeasured.join('\n  ')}`);
  expect(measured, 'inputs that could be measured').toBeGreaterThan(unmeasured.length);
});

function inWords({ length, shortMs, longMs }: Growth): string {
  return `${length} characters in ${shortMs.toFixed(2)} ms, ten times as many in ${longMs.toFixed(2)} ms`;
}
