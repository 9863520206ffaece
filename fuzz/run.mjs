/** Fuzzes Hubbub: `npm run fuzz`, or `node fuzz/run.mjs` when everything is built. Ends with code 1 when an invariant broke. */
import { readOptions, USAGE } from './options.mjs';
import { churn } from './scenarios/churn.mjs';
import { flood } from './scenarios/flood.mjs';

/** Of what was violated; the report has more. */
const TOLD_MAX = 20;
const WORDS_MAX = 500;

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else {
    const problems = await (options.scenario === 'churn' ? churn : flood)(options);
    for (const problem of problems.slice(0, TOLD_MAX)) console.log(`VIOLATION: ${problem.slice(0, WORDS_MAX)}`);
    console.log(problems.length === 0 ? '\nNothing was violated.' : `\n${problems.length} violations.`);
    if (problems.length > 0) process.exitCode = 1;
  }
} catch (error) {
  console.error(`fuzz: ${error.message}`);
  process.exitCode = 1;
}
process.exit(); // Children that do not end by themselves are ended by that.
