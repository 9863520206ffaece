/** Fuzzes Hubbub: `npm run fuzz`, or `node tools/fuzz/run.mjs` when everything is built. Ends with code 1 after a violation. */
import { Command, Option } from 'commander';
import { runTool, wholeNumber } from '../command-line.mjs';
import { saveRun } from '../report/results.mjs';
import { churn } from './scenarios/churn.mjs';
import { flood } from './scenarios/flood.mjs';

/** The number of violations that are printed; the report has all of them. */
const PRINTED_MAX = 20;
const WORDS_MAX = 500;
const SEEDS = 2 ** 32;
const INPUTS_MAX = 100_000_000;

const printing = scenario => async options => {
  const run = await scenario(options);
  if (options.writesReport) console.log(`\nWritten: ${saveRun(run)}`);
  const { problems } = run;
  for (const problem of problems.slice(0, PRINTED_MAX)) console.log(`VIOLATION: ${problem.slice(0, WORDS_MAX)}`);
  console.log(problems.length === 0 ? '\nNothing was violated.' : `\n${problems.length} violations.`);
  if (problems.length > 0) process.exitCode = 1;
};

await runTool('fuzz', fuzzCommand({ flood: printing(flood), churn: printing(churn) }));

/** @param {Record<'flood' | 'churn', (options: object) => Promise<void>>} scenarios */
function fuzzCommand(scenarios) {
  const program = new Command('npm run fuzz --').description('Fuzzes Hubbub.');
  const command = (name, description, settings) =>
    program
      .command(name, settings)
      .description(description)
      .option(
        '--seed <n>',
        'replays a run: input i depends on the seed and i alone (default: random, and printed)',
        wholeNumber(0, SEEDS - 1),
      )
      .option('--minutes <n>', 'ends the run after that time, done or not', wholeNumber(1, 24 * 60), 60)
      .addOption(
        new Option(
          '--embedded',
          '`hubbub start` without Redis, instead of an edge, presence and a Redis of their own',
        ).conflicts('redis'),
      )
      .option('--redis <url>', 'an existing Redis; keys and channels begin with --prefix')
      .option('--prefix <text>', 'prefix of keys and channels (default: fuzz)')
      .option('--no-report', 'writes nothing to tools/results')
      .action(options => scenarios[name](runOf(name, options)));
  command('flood', 'sends bad inputs of every kind to a running edge', { isDefault: true })
    .option('--inputs <n>', 'bad inputs to send', wholeNumber(1, INPUTS_MAX), 1_000_000)
    .option('--from <n>', 'begins with input n', wholeNumber(0, INPUTS_MAX), 0)
    .option('--only <n>', 'sends input n alone, and prints it', wholeNumber(0, INPUTS_MAX));
  command('churn', 'connects and disconnects clients, and checks what remains')
    .option('--clients <n>', 'clients that connect in each cycle', wholeNumber(1, 15_000), 1000)
    .option('--cycles <n>', 'cycles after the first ones, which are warm-up', wholeNumber(1, 100_000), 10);
  return program;
}

function runOf(scenario, { embedded = false, redis, prefix, report, ...options }) {
  return {
    scenario,
    seed: Math.floor(Math.random() * SEEDS),
    ...options,
    writesReport: report && options.only === undefined,
    target: { embedded, redisUrl: redis, prefix },
  };
}
