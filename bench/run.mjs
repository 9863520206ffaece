/** Runs a benchmark: `npm run bench [scenario]`, or `node bench/run.mjs` when everything is built. */
import { compare } from './comparison.mjs';
import { usage } from './options.mjs';
import { SCENARIOS } from './scenarios/catalogue.mjs';

try {
  await main(process.argv.slice(2).filter(argument => argument !== '--'));
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}
process.exit(); // Children that do not end by themselves are ended by that.

async function main(args) {
  if (args.includes('--help')) return console.log(usage(SCENARIOS));
  const named = args[0] !== undefined && !args[0].startsWith('-');
  const [name, ...options] = named ? args : [Object.keys(SCENARIOS)[0], ...args];
  if (!Object.hasOwn(SCENARIOS, name)) throw new Error(`There is no scenario "${name}"; --help names them.`);
  const scenario = SCENARIOS[name];
  // Scenarios that compare nothing measure and report by themselves.
  await (scenario.run === undefined ? compare(scenario, options) : scenario.run(options));
}
