/** Saves the last full run of each scenario as one JSON file, and writes the pages from all of them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sizingTables } from './sizing.mjs';

const DIR = new URL('../../results/', import.meta.url);
const PERFORMANCE = fileURLToPath(new URL('../../../docs/performance.md', import.meta.url));
const DEPLOYMENT = fileURLToPath(new URL('../../../docs/deployment.md', import.meta.url));

/**
 * @typedef {object} Run
 * @property {string} scenario names the file @property {string} description @property {string} command
 * @property {Record<string, unknown>} machine @property {object} [settings]
 * @property {string} summary Markdown: verdicts and tables, as docs/performance.md shows them
 * Further properties contain raw figures.
 */

/**
 * Replaces the scenario's last run, and writes the pages again.
 * @param {Run} run @returns {string} the path of the file, from the root of the repository
 */
export function saveRun(run) {
  const { summary, ...facts } = run;
  mkdirSync(DIR, { recursive: true });
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(new URL(`${run.scenario}.json`, DIR), json({ date, ...facts, summary }));
  writePages();
  return `tools/results/${run.scenario}.json`;
}

/** Writes the measured parts of docs/performance.md and docs/deployment.md. */
export function writePages() {
  const runs = readdirSync(DIR)
    .filter(file => file.endsWith('.json'))
    .sort()
    .map(file => JSON.parse(readFileSync(new URL(file, DIR), 'utf8')));
  replacePart(PERFORMANCE, 'Measured', runs.map(sectionOf).join('\n\n'));
  replacePart(DEPLOYMENT, 'Sizing', sizingTables(new Map(runs.map(run => [run.scenario, run]))));
}

function sectionOf({ scenario, date, description, summary, machine, command }) {
  const facts = ['processor', 'pinning', 'commit'].flatMap(name => machine[name] ?? []);
  return [
    `### ${scenario}`,
    `${description[0].toUpperCase()}${description.slice(1)}.`,
    summary,
    `\`${command}\`, ${date}; ${facts.join('; ')}. Raw figures: [${scenario}.json](../tools/results/${scenario}.json).`,
  ].join('\n\n');
}

function replacePart(path, name, text) {
  const begin = `<!-- ${name}: written by tools/bench/report/results.mjs; not by hand. -->`;
  const end = `<!-- End of ${name}. -->`;
  const [before, rest] = readFileSync(path, 'utf8').split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`${path} lacks the marks "${begin}" and "${end}"; restore them.`);
  writeFileSync(path, `${before}${begin}\n\n${text}\n\n${end}${after}`);
}

/** Writes each property, and each row of a list of rows, on its own line: readable, with small diffs. */
function json(run) {
  const lines = Object.entries(run).map(([name, value]) => `  ${JSON.stringify(name)}: ${rowsOrValue(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

function rowsOrValue(value) {
  const isRows = Array.isArray(value) && value.length > 0 && value.every(row => typeof row === 'object');
  return isRows ? `[\n${value.map(row => `    ${JSON.stringify(row)}`).join(',\n')}\n  ]` : JSON.stringify(value);
}
