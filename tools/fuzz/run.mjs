/** Fuzzes Hubbub: `npm run fuzz`, or `node tools/fuzz/run.mjs` when everything is built. Ends with code 1 after a violation. */
import { ownArguments } from '../../scripts/command-line.mjs';
import { fuzzCommand } from './options.mjs';
import { churn } from './scenarios/churn.mjs';
import { flood } from './scenarios/flood.mjs';

/** The number of violations that are printed; the report has all of them. */
const PRINTED_MAX = 20;
const WORDS_MAX = 500;

const printing = scenario => async options => {
  const problems = await scenario(options);
  for (const problem of problems.slice(0, PRINTED_MAX)) console.log(`VIOLATION: ${problem.slice(0, WORDS_MAX)}`);
  console.log(problems.length === 0 ? '\nNothing was violated.' : `\n${problems.length} violations.`);
  if (problems.length > 0) process.exitCode = 1;
};

try {
  const program = fuzzCommand({ flood: printing(flood), churn: printing(churn) });
  await program.parseAsync(ownArguments(), { from: 'user' });
} catch (error) {
  console.error(`fuzz: ${error.message}`);
  process.exitCode = 1;
}
process.exit(); // Ends the remaining children.
