/** Saves the last full run of each scenario as one JSON file, and writes the pages from all of them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '@hubbub/tools/kit';
import { FIGURE_PATH } from '../bench/capacity/summary.mjs';
import { capacityParts, publishFigure } from './capacity-page.mjs';
import { summaryOf } from './summaries.mjs';

const DIR = 'tools/results';
const PERFORMANCE = join(ROOT, 'docs/performance.md');
const CAPACITY = join(ROOT, 'docs/capacity.md');
const FIGURE = join(ROOT, 'docs', FIGURE_PATH);

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

/** Writes the measured parts of docs/performance.md and docs/capacity.md, and the figure. */
function writePages() {
  for (const [path, text] of renderPages()) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** @returns {[path: string, text: string][]} all generated files, as the saved results give them */
export function renderPages() {
  const runs = readdirSync(join(ROOT, DIR))
    .filter(file => file.endsWith('.json')) // Beside them: the progress of a run that ended without a report.
    .sort()
    .map(file => JSON.parse(readFileSync(join(ROOT, DIR, file), 'utf8')));
  const capacity = runs.find(({ scenario }) => scenario === 'capacity');
  return [
    [PERFORMANCE, withParts(PERFORMANCE, { Measured: runs.map(sectionOf).join('\n\n') })],
    [CAPACITY, withParts(CAPACITY, capacityParts(capacity))],
    [FIGURE, publishFigure(capacity)],
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

/** @param {string} path @param {Record<string, string>} parts by the names of their marks */
function withParts(path, parts) {
  return Object.entries(parts).reduce(
    (page, [name, text]) => {
      const begin = `<!-- ${name}: written by tools/report/results.mjs; not by hand. -->`;
      const end = `<!-- End of ${name}. -->`;
      const [before, rest] = page.split(begin);
      const after = rest?.split(end)[1];
      if (after === undefined) throw new Error(`${path} lacks the marks "${begin}" and "${end}"; restore them.`);
      return `${before}${begin}\n\n${text}\n\n${end}${after}`;
    },
    readFileSync(path, 'utf8'),
  );
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
