/** Saves the last full run of each scenario as one JSON file, and writes the pages from all of them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@hubbub/tools/kit';
import { sizingTables } from './sizing.mjs';
import { summaryOf } from './summaries.mjs';

const DIR = 'tools/results';
const PERFORMANCE = join(ROOT, 'docs/performance.md');
const DEPLOYMENT = join(ROOT, 'docs/deployment.md');

/**
 * @typedef {object} Run
 * @property {string} scenario names the file @property {string} description @property {string} command
 * @property {Record<string, unknown>} machine @property {object} [settings]
 * Further properties contain raw figures. `summaries.mjs` computes the text of the page from them.
 */

/**
 * Replaces the scenario's last run, and writes the pages again.
 * @param {Run} run @returns {string} the path of the file, from the root of the repository
 */
export function saveRun(run) {
  const path = `${DIR}/${run.scenario}.json`;
  mkdirSync(join(ROOT, DIR), { recursive: true });
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(join(ROOT, path), json({ date, ...run }));
  writePages();
  return path;
}

/** Writes the measured parts of docs/performance.md and docs/deployment.md. */
function writePages() {
  for (const [path, text] of renderPages()) writeFileSync(path, text);
}

/** @returns {[path: string, text: string][]} both pages, with their measured parts as the saved results give them */
export function renderPages() {
  const runs = readdirSync(join(ROOT, DIR))
    .sort()
    .map(file => JSON.parse(readFileSync(join(ROOT, DIR, file), 'utf8')));
  return [
    [PERFORMANCE, withPart(PERFORMANCE, 'Measured', runs.map(sectionOf).join('\n\n'))],
    [DEPLOYMENT, withPart(DEPLOYMENT, 'Sizing', sizingTables(new Map(runs.map(run => [run.scenario, run]))))],
  ];
}

function sectionOf(run) {
  const { scenario, date, description, machine, command } = run;
  const facts = ['processor', 'pinning', 'commit'].flatMap(name => machine[name] ?? []);
  return [
    `### ${scenario}`,
    `${description[0].toUpperCase()}${description.slice(1)}.`,
    summaryOf(run),
    `\`${command}\`, ${date}; ${facts.join('; ')}. Raw figures: [${scenario}.json](../${DIR}/${scenario}.json).`,
  ].join('\n\n');
}

function withPart(path, name, text) {
  const begin = `<!-- ${name}: written by tools/report/results.mjs; not by hand. -->`;
  const end = `<!-- End of ${name}. -->`;
  const [before, rest] = readFileSync(path, 'utf8').split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`${path} lacks the marks "${begin}" and "${end}"; restore them.`);
  return `${before}${begin}\n\n${text}\n\n${end}${after}`;
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

// `node tools/report/results.mjs` writes the pages after a change of their form.
if (process.argv[1] === import.meta.filename) writePages();
