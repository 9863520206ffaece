/** Writes a run to bench/results: everything as JSON, and a report for people beside it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mediansTable, ratiosTable, roundsTable } from './tables.mjs';

/** Characters, so that the name in front of a list fits into the formatter's line too. */
const SHORT = 80;
const DIR = fileURLToPath(new URL('../results/', import.meta.url));

/** @returns {string} the report's path from the root of the repository */
export function writeReport(run) {
  const name = `${run.scenario}-${run.date}`;
  mkdirSync(DIR, { recursive: true });
  writeFileSync(join(DIR, `${name}.json`), json(run));
  writeFileSync(join(DIR, `${name}.md`), markdown(run));
  return `bench/results/${name}.md`;
}

/** Short lists in one line, as the formatter of this repository wants them. */
function json(run) {
  const text = JSON.stringify(run, null, 2).replace(/\[\n\s+([^[\]{}]*?)\n\s+\]/g, (list, items) => {
    const line = `[${items.replace(/\n\s+/g, ' ')}]`;
    return line.length <= SHORT ? line : list;
  });
  return `${text}\n`;
}

function markdown({
  scenario,
  description,
  date,
  command,
  settings,
  machine,
  titles,
  rows,
  summaries,
  verdicts,
  words,
}) {
  const list = entries => entries.map(([name, value]) => `- ${name}: ${value}`).join('\n');
  return `# ${scenario}, ${date}

${description[0].toUpperCase()}${description.slice(1)}. How it is measured, and how far the figures can be trusted: bench/README.md.

${[...verdicts, ...words].map(line => `- ${line}`).join('\n')}

## Medians

${mediansTable(summaries)}

## Ratios to ${Object.keys(titles)[0]}: median of the rounds (smallest to largest)

${ratiosTable(summaries)}

## Relays

${list(Object.entries(titles))}

## Machine and versions

${list(Object.entries(machine))}

## Command and settings

\`\`\`
${command}
\`\`\`

${list(Object.entries(settings).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]))}

## Raw rounds

${roundsTable(rows)}
`;
}
