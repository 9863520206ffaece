/** The command line of `npm run k6`: a command for each scenario, an option for each of its settings. */
import { Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../../tools/command-line.mjs';
import { PLANS } from './scenarios.mjs';

const MAX = 999_999_999;

/**
 * @param {{ run: (options: object) => Promise<void>, bundle: () => Promise<void> }} actions
 * @param {Command} program tests pass one that throws
 */
export function k6Command({ run, bundle }, program = new Command('npm run k6 --')) {
  program.description('Runs a load scenario; k6/README.md describes them.');
  for (const [scenario, plan] of Object.entries(PLANS)) {
    const command = program
      .command(scenario)
      .description(plan.description)
      .option(
        '--url <url>',
        'an existing cluster, with LOAD_JWT_SECRET; once for each edge (default: starts a cluster)',
        urls,
        [],
      )
      .option('--edges <n>', 'edges of the cluster that is started', wholeNumber(0, MAX))
      .option('--connections <n>', 'ramp: sockets of all processes together (default: 1000)', wholeNumber(0, MAX))
      .option(
        '--processes <n>',
        'ramp: k6 processes that share them (default: 15,000 sockets each)',
        wholeNumber(0, MAX),
      )
      .option('--prometheus <url>', 'remote write, such as http://127.0.0.1:9090/api/v1/write')
      .option('--record', 'saves the run in tools/results, shown in docs/performance.md', false);
    // `rate` is `--rate`, and `p99-ms` is the attribute `p99Ms`.
    const numbers = plan.settings.map(name => {
      const option = command.createOption(`--${name} <n>`).argParser(wholeNumber(0, MAX));
      command.addOption(option);
      return { name, attribute: option.attributeName() };
    });
    command.action(({ url, prometheus, ...values }) => {
      const settings = numbers.flatMap(({ name, attribute }) =>
        values[attribute] === undefined ? [] : [[name, values[attribute]]],
      );
      return run({
        ...values,
        scenario,
        plan,
        urls: url,
        prometheusUrl: prometheus,
        settings: Object.fromEntries(settings),
      });
    });
  }
  program.command('bundle').description('writes k6/dist/<scenario>.js for k6 elsewhere (Kubernetes)').action(bundle);
  return program;
}

function urls(url, previous) {
  if (/^wss?:\/\/[^/]+/.test(url)) return [...previous, url];
  throw new InvalidArgumentError('Expected ws://host:port.');
}
