/** The command line of the fuzzing. */
import { parseArgs } from 'node:util';

const DEFAULTS = { inputs: 1_000_000, clients: 1000, cycles: 10 };

export const USAGE = `npm run fuzz -- [options]          bad inputs of every kind at a running edge
npm run fuzz -- churn [options]    clients that come and go, and what they leave behind

Options:
  --seed <n>       replays a run: input i depends on the seed and i alone (made up and printed)
  --inputs <n>     bad inputs to throw (${DEFAULTS.inputs.toLocaleString('en-US')})
  --from <n>       begin with input n (0)
  --only <n>       throw input n alone, and print it
  --clients <n>    churn: clients that connect in each cycle (${DEFAULTS.clients})
  --cycles <n>     churn: cycles after the first ones, which are warm-up (${DEFAULTS.cycles})
  --minutes <n>    ends the throwing after so long, done or not
  --embedded       \`hubbub start\` without Redis, instead of an edge, presence and a Redis of their own
  --redis <url>    a Redis that is there already; keys and channels begin with --prefix (fuzz)
  --no-report      nothing is written to fuzz/results`;

/** @param {readonly string[]} args @throws {Error} with what would be right */
export function readOptions(args) {
  const text = { type: 'string' };
  const { values, positionals } = parseArgs({
    args: args.filter(argument => argument !== '--'),
    allowPositionals: true,
    options: {
      ...{
        seed: text,
        inputs: text,
        from: text,
        only: text,
        clients: text,
        cycles: text,
        minutes: text,
        redis: text,
        prefix: text,
      },
      embedded: { type: 'boolean', default: false },
      'no-report': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [scenario = 'flood', ...more] = positionals;
  if (!['flood', 'churn'].includes(scenario) || more.length > 0)
    throw new Error(`There is no "${positionals.join(' ')}"; there is churn.`);
  if (values.embedded && values.redis !== undefined) throw new Error('--embedded has no Redis: leave out --redis.');
  const number = (name, fallback, min, max) => integer(name, values[name] ?? fallback, min, max);
  return {
    scenario,
    help: values.help,
    writesReport: !values['no-report'] && values.only === undefined,
    seed: number('seed', Math.floor(Math.random() * 2 ** 32), 0, 2 ** 32 - 1),
    inputs: number('inputs', DEFAULTS.inputs, 1, 100_000_000),
    from: number('from', 0, 0, 100_000_000),
    only: values.only === undefined ? undefined : number('only', 0, 0, 100_000_000),
    clients: number('clients', DEFAULTS.clients, 1, 15_000),
    cycles: number('cycles', DEFAULTS.cycles, 1, 100_000),
    minutes: number('minutes', 60, 1, 24 * 60),
    target: { embedded: values.embedded, redisUrl: values.redis, prefix: values.prefix },
  };
}

function integer(name, value, min, max) {
  const number = Number(value);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw new Error(`--${name}: expected a whole number from ${min} to ${max}, got "${value}".`);
}
