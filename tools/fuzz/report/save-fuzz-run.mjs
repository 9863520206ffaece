/** Saves a fuzz run among the results of all scenarios. */
import { loadEngine } from '@hubbub/edge';
import { describeMachine } from '../../bench/machine/facts.mjs';
import { saveRun } from '../../bench/report/results.mjs';

/**
 * @param {string} scenario @param {object} run @param {{ redisVersion: string, description: string, tables: string }} report
 * @returns {string} the path of the run's file, from the root of the repository
 */
export function saveFuzzRun(scenario, run, { redisVersion, description, tables }) {
  const machine = describeMachine({ redisVersion, pinning: { words: 'not pinned' }, engine: loadEngine().build });
  const command = ['npm run fuzz', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
  const problems = run.problems.map(problem => `- VIOLATION: ${problem}`).join('\n') || 'Nothing was violated.';
  return saveRun({
    ...run,
    scenario: `fuzz-${scenario}`,
    description,
    command,
    machine,
    summary: `${tables}\n\n${problems}`,
  });
}
