/** The summary of each saved run: verdicts and tables, computed from its raw figures. */
import { inWords } from '../../k6/runner/report.mjs';
import { comparisonSummary } from '../bench/report/verdicts.mjs';
import { scaleSummary } from '../bench/scale/report.mjs';
import { SCENARIOS } from '../bench/scenarios/catalogue.mjs';
import { churnTables, floodTables } from '../fuzz/report/tables.mjs';

/** @param {import('./results.mjs').Run} run @returns {string} Markdown */
export function summaryOf(run) {
  const { scenario } = run;
  if (scenario.startsWith('k6-')) return `\`\`\`text\n${inWords(run)}\n\`\`\``;
  if (scenario.startsWith('scale')) return scaleSummary(run);
  if (scenario === 'fuzz-flood') return withProblems(floodTables(run), run);
  if (scenario === 'fuzz-churn') return withProblems(churnTables(run), run);
  const { [scenario]: definition } = SCENARIOS;
  return definition.summarize?.(run) ?? comparisonSummary(definition, run);
}

function withProblems(tables, { problems }) {
  return `${tables}\n\n${problems.map(problem => `- VIOLATION: ${problem}`).join('\n') || 'Nothing was violated.'}`;
}
