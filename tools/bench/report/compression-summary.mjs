/** The summary of the compression scenario. */

import { table } from '../../report/tables.mjs';
import { median } from './statistics.mjs';

/** @param {import('../../report/results.mjs').Run} run @returns {string} Markdown */
export function compressionSummary({ rows, inflation, settings }) {
  const frames = inflation.map(({ frame }) => frame);
  const of = (frame, way, key) =>
    median(rows.filter(row => row.frame === frame && row.way === way).map(row => row[key]));
  const lines = frames.map(frame => [
    frame,
    ...['plain', 'each', 'once'].map(way => `${of(frame, way, 'cpuMicros').toFixed(2)}`),
    ...['plain', 'each', 'once'].map(way => of(frame, way, 'bytes').toFixed(0)),
    inflation.find(one => one.frame === frame).cpuMicros.toFixed(0),
  ]);
  const head = [
    'frame',
    'relay µs/delivery, plain',
    'deflated for each',
    'deflated once',
    'bytes of the frame, plain',
    'for each',
    'once',
    'µs to inflate it',
  ];
  return [
    table(head, lines),
    `Medians of ${settings.rounds} rounds that take turns; ${settings.members} members. Inflating: \`DecompressionStream\` of Node, one for each frame, as in a browser.`,
  ].join('\n\n');
}
