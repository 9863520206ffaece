/** Judges a run: whether it kept its targets, and whether every message arrived once and in order. */
import { whole } from '../../report/tables.mjs';
import { RELAYS } from '../relays/catalogue.mjs';
import { distinct, isDisturbed, medianOf, peakRows, ratioOf, rowsAt } from './statistics.mjs';
import { MEASURES, mediansTable, printed, TROUBLES, troublesOf } from './tables.mjs';

/**
 * @typedef {object} Target
 * @property {string} relay @property {string} key of the measure
 * @property {string} [against] the relay that it is a ratio to; without it the target is a figure by itself
 * @property {number} [atLeast] @property {number} [atMost]
 * @property {number | 'peak'} [step] without it every step
 */

/** Fewer rounds give no verdict: a median of one or two depends on chance. */
const ROUNDS_MIN = 3;

/** @param {import('../comparison.mjs').Comparison} scenario @param {import('../../report/results.mjs').Run} run */
export function comparisonSummary(scenario, run) {
  return `${verdictLines(scenario, run)}\n\n${mediansTable(scenario, run.rows)}`;
}

export function verdictLines(scenario, { settings, rows, machine }) {
  const { relays = RELAYS } = scenario;
  // The relay has one core, and its load the others.
  const loadCores = Math.max(1, Number.parseInt(machine.processor, 10) - 1);
  return [...verdicts(scenario, settings, rows), ...cautions(relays, rows, loadCores)]
    .map(line => `- ${line}`)
    .join('\n');
}

/** @param {{ relays: readonly string[] }} settings */
function verdicts(scenario, { relays }, rows) {
  const asked = scenario.targets.filter(
    ({ relay, against }) => relays.includes(relay) && (against === undefined || relays.includes(against)),
  );
  return asked.flatMap(target => {
    const steps = target.step === undefined ? distinct(rows.map(row => row.step)) : [target.step];
    return steps.map(step => verdict(scenario, target, step, rows));
  });
}

function verdict({ stepTitle }, { relay, against, key, atLeast, atMost }, step, rows) {
  const at = who => (step === 'peak' ? peakRows(rows, who, key) : rowsAt(rows, who, step));
  const rounds = Math.min(...[relay, against ?? relay].map(who => at(who).length));
  const value = against === undefined ? medianOf(at(relay), key) : ratioOf(at(relay), at(against), key).median;
  const place = step === 'peak' ? 'at its most' : `at ${whole(step)} ${stepTitle}`;
  const what = `${relay} ${place}: ${MEASURES[key].title}`;
  if (!Number.isFinite(value)) return `${what}: not measured`;
  if (rounds < ROUNDS_MIN) return `${what}: not measured (${rounds} rounds; a verdict needs ${ROUNDS_MIN})`;
  const kept = atLeast === undefined ? value <= atMost : value >= atLeast;
  const target = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
  const figure = against === undefined ? printed(key, value) : `${value.toFixed(2)} × ${against}`;
  const judged = isDisturbed(rows)
    ? `${kept ? 'kept' : 'missed'}, on a machine with other load`
    : kept
      ? 'kept'
      : 'MISSED';
  return `${what} is ${figure}, target ${target}: ${judged}`;
}

/** Returns whether every message of Hubbub and the bare relay arrived once, in order and in time, the warm-up included. */
export function isClean(catalogue, rows) {
  return rows.every(row => catalogue[row.relay].peer || Object.keys(TROUBLES).every(key => troublesOf(row, key) === 0));
}

/** Lists the reasons to distrust the figures. @param {readonly object[]} rows @param {number} loadCores */
function cautions(catalogue, rows, loadCores) {
  const words = [];
  const busiest = Math.max(...rows.map(row => row.loadCpu ?? 0)) / loadCores;
  if (busiest > 0.95)
    words.push(
      `The load's cores were up to ${Math.round(busiest * 100)} % busy. At that rate the load generator limits the figures, and latencies include its queue.`,
    );
  const disturbed = rows.filter(row => row.disturbed && !row.warmUp).length;
  if (disturbed > 0) {
    const counts = isDisturbed(rows)
      ? 'too many to omit: **absolute figures and ratios are those of a busy machine**'
      : 'medians and ratios omit them, raw rounds include them';
    words.push(`Other processes disturbed ${disturbed} of the measurements; ${counts}.`);
  }
  const troubles = distinct(
    rows.flatMap(row => Object.keys(row.relayTroubles ?? {}).map(event => `${row.relay}: ${event}`)),
  );
  if (troubles.length > 0) words.push(`Warnings of the relays: ${troubles.join('; ')}.`);
  for (const relay of distinct(rows.map(row => row.relay))) {
    const own = rows.filter(row => row.relay === relay);
    const notice = Object.entries(TROUBLES)
      .map(([key, title]) => [title, own.reduce((sum, row) => sum + troublesOf(row, key), 0)])
      .filter(([, count]) => count > 0);
    if (notice.length > 0)
      words.push(
        `${relay}${catalogue[relay].peer ? '' : ', **which fails the run**'}: ${notice.map(entry => entry.join(' ')).join(', ')}.`,
      );
  }
  return words;
}
