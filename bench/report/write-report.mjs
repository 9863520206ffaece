/** Writes a run to bench/results: everything as JSON, a report for people beside it, and its plots as SVG. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { updateSummary } from './summary.mjs';

/** Characters, so that the name in front of a list fits into the formatter's line too. */
const SHORT = 80;
const DIR = fileURLToPath(new URL('../results/', import.meta.url));

/**
 * @param {{ scenario: string, description: string, command: string, settings: object, machine: object, titles?: Record<string, string>,
 *   rows: object[] }} run all of it is in the JSON
 * @param {{ sections: readonly string[], plots?: readonly { name: string, title: string, svg: string }[], appendix?: string }} report
 *   Markdown between the title and the machine, and behind everything
 * @returns {string} the report's path from the root of the repository; docs/performance.md has its head from now on
 */
export function writeReport(run, { sections, plots = [], appendix }) {
  const date = new Date().toISOString().slice(0, 10);
  const name = `${run.scenario}-${date}`;
  mkdirSync(DIR, { recursive: true });
  const images = plots.map(plot => ({ ...plot, file: `${name}-${plot.name}.svg` }));
  for (const { file, svg } of images) writeFileSync(join(DIR, file), svg);
  writeFileSync(join(DIR, `${name}.json`), json({ date, ...run }));
  writeFileSync(join(DIR, `${name}.md`), markdown({ date, ...run }, sections, images, appendix));
  updateSummary();
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

function markdown({ scenario, description, date, command, settings, machine, titles }, sections, images, appendix) {
  const list = entries => entries.map(([name, value]) => `- ${name}: ${value}`).join('\n');
  const parts = [
    `# ${scenario}, ${date}`,
    `${description[0].toUpperCase()}${description.slice(1)}. How it is measured, and how far the figures can be trusted: bench/README.md.`,
    sections[0],
    ...images.map(({ title, file }) => `![${title}](${file})`),
    ...sections.slice(1),
    ...(titles === undefined ? [] : [`## Relays\n\n${list(Object.entries(titles))}`]),
    `## Machine and versions\n\n${list(Object.entries(machine))}`,
    `## Command and settings\n\n\`\`\`\n${command}\n\`\`\`\n\n${list(
      Object.entries(settings).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    )}`,
    ...(appendix === undefined ? [] : [appendix]),
  ];
  return `${parts.join('\n\n')}\n`;
}
