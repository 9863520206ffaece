/** Runs a benchmark: `npm run bench [scenario]`, or `node tools/bench/run.mjs` when everything is built. */
import { ownArguments } from '../../scripts/command-line.mjs';
import { compare } from './comparison.mjs';
import { benchCommand } from './options.mjs';
import { SCENARIOS } from './scenarios/catalogue.mjs';

const args = ownArguments();

/** Scenarios that compare nothing measure and report by themselves. */
const program = benchCommand(SCENARIOS, (scenario, settings) =>
  scenario.run === undefined ? compare(scenario, settings, args) : scenario.run(settings, args),
);

try {
  await program.parseAsync(args, { from: 'user' });
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}
process.exit(); // Children that do not end by themselves are ended by that.
