/** A run in fuzz/results, for people and as JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadEngine } from '@hubbub/edge';
import { describeMachine } from '../../bench/machine/facts.mjs';

const DIR = fileURLToPath(new URL('../results/', import.meta.url));

/**
 * @param {string} scenario @param {object} run @param {{ redisVersion: string, sections: readonly string[] }} options
 * @returns {string} the report's path from the root
 */
export function writeReport(scenario, run, { redisVersion, sections }) {
  const date = new Date().toISOString().slice(0, 10);
  const name = `${scenario}-${date}`;
  const machine = describeMachine({ redisVersion, pinning: { words: 'not pinned' }, engine: loadEngine().build });
  const command = ['npm run fuzz', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
  const problems = run.problems.map(problem => `- VIOLATION: ${problem}`).join('\n') || 'Nothing was violated.';
  const facts = Object.entries(machine).map(([key, value]) => `- ${key}: ${value}`);
  const parts = [
    `# ${scenario}, ${date}`,
    ...sections,
    problems,
    `## Machine and versions\n\n${facts.join('\n')}`,
    `## Command\n\n\`\`\`\n${command}\n\`\`\``,
  ];
  mkdirSync(DIR, { recursive: true });
  writeFileSync(join(DIR, `${name}.json`), `${JSON.stringify({ scenario, date, command, machine, ...run })}\n`);
  writeFileSync(join(DIR, `${name}.md`), `${parts.join('\n\n')}\n`);
  return `fuzz/results/${name}.md`;
}
