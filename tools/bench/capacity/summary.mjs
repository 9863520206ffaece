/** The summary of the capacity benchmark: processor time of Redis per message, as a figure and a table. */
import { table } from '../../report/tables.mjs';
import { checksOf, publishPoints } from './checks.mjs';

/** Below docs. */
export const FIGURE_PATH = 'figures/redis-publish.svg';
/** Error of a prediction that counts as right. */
const TOLERANCE = 0.25;

/** @param {import('../../report/results.mjs').Run} run @returns {string} Markdown */
export function capacitySummary(run) {
  const points = publishPoints(run);
  const topologies = [...new Set(points.map(({ topology }) => topology))];
  const widths = [...new Set(points.map(({ width }) => width))];
  const errors = checksOf(run).map(({ predicted, measured }) => Math.abs(predicted / measured - 1));
  return [
    `![Processor time of Redis per message, over the edges that have a member](${FIGURE_PATH})`,
    'All servers of Redis together, µs per message of 200 bytes, 8 messages a turn for each server. Eight edges run throughout:',
    table(
      ['topology', ...widths.map(width => `members on ${width}`), 'each further edge'],
      topologies.map(topology => {
        const own = points.filter(point => point.topology === topology);
        const [first, last] = [own[0], own.at(-1)];
        const slope = (last.micros - first.micros) / (last.width - first.width);
        return [topology, ...own.map(({ micros }) => rounded(micros)), rounded(slope)];
      }),
    ),
    `The [capacity model](capacity.md#checks) predicts ${errors.filter(error => error <= TOLERANCE).length} of ${errors.length} figures within ${TOLERANCE * 100} %.`,
  ].join('\n\n');
}

/** @param {number} number @returns {string} with three digits */
export function rounded(number) {
  return number.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}
