/** The command line of the benchmarks: a command for each scenario, an option for each of its settings. */
import { Command } from 'commander';
import { wholeNumber } from '../../scripts/command-line.mjs';

const MAX = 9_999_999;

/**
 * @param {Record<string, { name: string, description: string, full: object, quick: object }>} scenarios the first is the default
 * @param {(scenario: object, settings: object) => Promise<void>} run
 */
export function benchCommand(scenarios, run) {
  const program = new Command('npm run bench --').description('Runs a benchmark.');
  for (const [index, scenario] of Object.values(scenarios).entries()) {
    const { name, description, full, quick } = scenario;
    const command = program
      .command(name, { isDefault: index === 0 })
      .description(description)
      .option('--quick', 'one short round: checks that everything works, not the speed; writes no report', false)
      .option('--profile', 'CPU profiles of the relays to tools/bench/profiles; writes no report', false)
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
