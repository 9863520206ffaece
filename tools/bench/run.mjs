/**
 * Runs a benchmark: `npm run bench [scenario]`, or `node tools/bench/run.mjs` when everything is built.
 * Each scenario is a command, and each of its settings an option.
 */
import { Command } from 'commander';
import { runTool, wholeNumber } from '../command-line.mjs';
import { saveRun } from '../report/results.mjs';
import { compare } from './comparison.mjs';
import { SCENARIOS } from './scenarios/catalogue.mjs';

const MAX = 9_999_999;

/** Scenarios that compare nothing measure by themselves. */
const program = benchCommand(SCENARIOS, async (scenario, settings) => {
  const { run = own => compare(scenario, own) } = scenario;
  const result = await run(settings);
  if (!settings.quick && !settings.profile) console.log(`\nWritten: ${saveRun(result)}`);
});
await runTool('bench', program);

/**
 * @param {Record<string, { name: string, description: string, full: object, quick: object }>} scenarios the first is the default
 * @param {(scenario: object, settings: object) => Promise<void>} run
 */
function benchCommand(scenarios, run) {
  const program = new Command('npm run bench --').description('Runs a benchmark.');
  for (const [index, scenario] of Object.values(scenarios).entries()) {
    const { name, description, full, quick } = scenario;
    const command = program
      .command(name, { isDefault: index === 0 })
      .description(description)
      .option('--quick', 'one short round: checks that everything works, not the speed; writes no report', false)
      .option('--profile', 'CPU profiles of the relays to .cache/profiles; writes no report', false)
      .action(options => run(scenario, { ...full, ...(options.quick && quick), ...options }));
    // Not defaults of commander, which would override those of --quick.
    for (const [setting, value] of Object.entries(full)) {
      command.option(`--${setting} <${Array.isArray(value) ? 'list' : 'n'}>`, `default: ${value}`, parserOf(value));
    }
  }
  return program;
}

/** A setting is a number, a list of numbers or a list of names, as its default is. */
function parserOf(value) {
  const number = wholeNumber(0, MAX);
  if (!Array.isArray(value)) return number;
  return text => text.split(',').map(item => (typeof value[0] === 'number' ? number(item) : item));
}
