/** Line plots: each value is at its place on the axes, on light and on dark pages. */
import { expect, test } from 'vitest';
import { linePlot } from '../../tools/report/plot.mjs';

const lines: Parameters<typeof linePlot>[0]['lines'] = [
  {
    name: 'measured',
    points: [
      [1, 10],
      [8, 20],
    ],
    samples: [[1, 5]],
  },
  {
    name: 'model',
    points: [
      [1, 10],
      [8, 20],
    ],
    isModel: true,
  },
];
const svg = linePlot({ title: 'Time', x: 'edges', y: 'µs', lines });
const numbers = (pattern: RegExp): number[] => [...svg.matchAll(pattern)].map(([, value]) => Number(value));

test('each point and each sample has a dot, and the model has none', () => {
  expect(numbers(/<circle [^>]*cy="([\d.]+)"/g)).toHaveLength(3);
});

test('half of the largest value is halfway between the ends of the axis', () => {
  const [top, bottom] = [Math.min, Math.max].map(of => of(...numbers(/class="grid"[^>]* y1="([\d.]+)"/g))) as [
    number,
    number,
  ];
  const [sample, half, full] = numbers(/<circle [^>]*cy="([\d.]+)"/g) as [number, number, number];
  expect(full).toBe(top);
  expect(half).toBeCloseTo((top + bottom) / 2, 0);
  expect(sample).toBeCloseTo(bottom - (bottom - top) / 4, 0);
});

test('the first and the last step are at the ends of the axis', () => {
  const [left, right] = numbers(/class="grid" x1="([\d.]+)"/g)
    .slice(0, 1)
    .concat(numbers(/class="grid"[^>]* x2="([\d.]+)"/g).slice(0, 1));
  const at = numbers(/<circle cx="([\d.]+)"/g);
  expect(at).toEqual([left, right]);
});

test('colors for dark pages are in the file', () => {
  expect(svg).toContain('prefers-color-scheme: dark');
});
