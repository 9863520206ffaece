/** Copies the heads of the latest reports into docs/performance.md, so that no figure stands there which was not measured; sizing follows. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { updateSizing } from './sizing.mjs';

const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));
const PAGE = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));
const BEGIN = '<!-- Measured: written by bench/report/summary.mjs from bench/results; not by hand. -->';
const END = '<!-- End of what was measured. -->';

export function updateSummary() {
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error('docs/performance.md has lost the marks between which figures stand.');
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${latestReports().map(headOf).join('\n\n')}\n\n${END}${after}`);
  updateSizing();
}

/** @returns {string[]} of each scenario the file with the latest date */
function latestReports() {
  const latest = new Map();
  for (const file of readdirSync(RESULTS).sort()) {
    const scenario = /^(.+)-\d{4}-\d\d-\d\d\.md$/.exec(file)?.[1];
    if (scenario !== undefined) latest.set(scenario, file);
  }
  return [...latest.values()];
}

/** What stands in a report before its tables, plots included. @param {string} file */
function headOf(file) {
  const report = readFileSync(join(RESULTS, file), 'utf8');
  const title = /^# (.+)$/m.exec(report)?.[1];
  const head = report
    .slice(report.indexOf('\n') + 1)
    .split(/^## /m)[0]
    .replace(/ How it is measured[^\n]*bench\/README\.md\./, '')
    .replaceAll('](', '](../bench/results/')
    .trim();
  const machine = ['processor', 'pinning', 'commit'].flatMap(
    name => new RegExp(`^- ${name}: (.+)$`, 'm').exec(report)?.[1] ?? [],
  );
  return `### [${title}](../bench/results/${file})\n\n${head}\n\n${machine.join('; ')}.`;
}
