/** A scenario that compares no relays, for people and as JSON, in bench/results. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIR = fileURLToPath(new URL('../results/', import.meta.url));

/**
 * @param {{ scenario: string, description: string, command: string, settings: object, machine: object, rows: object[] }} run
 * @param {readonly string[]} sections Markdown, between the title and the machine
 * @returns {string} the report's path from the root of the repository
 */
export function writeFiguresReport({ scenario, description, command, settings, machine, ...rest }, sections) {
  const date = new Date().toISOString().slice(0, 10);
  const name = `${scenario}-${date}`;
  const list = entries => entries.map(([key, value]) => `- ${key}: ${value}`).join('\n');
  const parts = [
    `# ${scenario}, ${date}`,
    `${description[0].toUpperCase()}${description.slice(1)}. How it is measured: bench/README.md.`,
    ...sections,
    `## Machine and versions\n\n${list(Object.entries(machine))}`,
    `## Command and settings\n\n\`\`\`\n${command}\n\`\`\`\n\n${list(Object.entries(settings))}`,
  ];
  mkdirSync(DIR, { recursive: true });
  const run = { scenario, date, description, command, settings, machine, ...rest };
  writeFileSync(join(DIR, `${name}.json`), `${JSON.stringify(run, null, 2)}\n`);
  writeFileSync(join(DIR, `${name}.md`), `${parts.join('\n\n')}\n`);
  return `bench/results/${name}.md`;
}
