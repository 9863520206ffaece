/** The summary of the overload scenario: goodput beside the offered load, and what it cost. */
import { countsInWords, table, whole } from '../../report/tables.mjs';
import { distinct, median } from './statistics.mjs';

/** Design, invariant 13. */
const GOODPUT_SHARE_MIN = 0.8;
const TITLES = { join: 'Joins', reconnect: 'Reconnects', publish: 'Publishes' };

/** @param {import('../../report/results.mjs').Run} run @returns {string} Markdown */
export function overloadSummary({ rows, settings }) {
  return settings.loads
    .map(load =>
      partOf(
        load,
        rows.filter(row => row.load === load),
      ),
    )
    .join('\n\n');
}

function partOf(load, rows) {
  const peak = peakOf(rows.filter(({ control }) => control));
  const lines = [true, false].flatMap(control => {
    const own = rows.filter(row => row.control === control);
    return distinct(own.map(({ factor }) => factor)).map(factor =>
      lineOf(
        own.filter(row => row.factor === factor),
        control,
        peak,
      ),
    );
  });
  const head = ['admission control', 'offered', 'offered/s', 'goodput/s', 'of the peak', 'p50 ms', 'p99 ms'];
  const more = ['refused', 'too late', 'thrown out', 'reaped edges', 'all right after s'];
  const events = countsInWords(merged(rows.map(row => row.events)));
  return [
    `**${TITLES[load]}.** ${verdictOf(rows, peak)}`,
    table([...head, ...more], lines),
    ...(events === '' ? [] : [`Warnings of edges and presence in all steps: ${events}.`]),
  ].join('\n\n');
}

function lineOf(rows, control, peak) {
  const [{ factor, perSecond }] = rows;
  const middle = key => median(rows.map(row => row[key] ?? Number.NaN));
  const goodput = middle('goodputPerSecond');
  const right = rows.map(row => row.rostersRightSeconds);
  return [
    control ? 'on' : 'off',
    factor === 'capacity' ? 'capacity' : `${factor} ×`,
    factor === 'capacity' ? '' : whole(perSecond),
    whole(goodput),
    (goodput / peak).toFixed(2),
    middle('p50Ms').toFixed(0),
    middle('p99Ms').toFixed(0),
    whole(median(rows.map(({ refused, errors }) => refused + errors))),
    whole(middle('tooLate')),
    whole(middle('thrownOut')),
    whole(middle('reapedNodes')),
    right.includes(null) ? 'not within 90' : median(right).toFixed(1),
  ];
}

function verdictOf(rows, peak) {
  const shareAt = control => {
    const most = Math.max(...rows.flatMap(({ factor }) => (typeof factor === 'number' ? [factor] : [])));
    const own = rows.filter(row => row.control === control && row.factor === most);
    return own.length === 0 ? undefined : { most, share: median(own.map(row => row.goodputPerSecond)) / peak };
  };
  const on = shareAt(true);
  const off = shareAt(false);
  const verdict = on.share >= GOODPUT_SHARE_MIN ? 'kept' : 'MISSED';
  const without = off === undefined ? '' : ` Without admission control: ${off.share.toFixed(2)}.`;
  return `Goodput at ${on.most} × the capacity is ${on.share.toFixed(2)} of the peak; at least ${GOODPUT_SHARE_MIN}: ${verdict}.${without}`;
}

function peakOf(rows) {
  return Math.max(
    ...distinct(rows.map(({ factor }) => factor)).map(factor =>
      median(rows.filter(row => row.factor === factor).map(row => row.goodputPerSecond)),
    ),
  );
}

function merged(counts) {
  const all = {};
  for (const [name, count] of counts.flatMap(Object.entries)) all[name] = (all[name] ?? 0) + count;
  return all;
}
