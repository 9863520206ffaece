/** The command line of the benchmarks. */
import { parseArgs } from 'node:util';
import { RELAYS } from './relays/catalogue.mjs';
import { OTHER_SCENARIOS, SCENARIOS } from './scenarios/catalogue.mjs';

const QUICK = { rounds: 1, seconds: 2 };
const FULL = { rounds: 7, seconds: 5 };
const PATIENCE_S = 20;

export const USAGE = `npm run bench [scenario] -- [options]

Scenarios:
${[...Object.values(SCENARIOS), ...Object.values(OTHER_SCENARIOS)]
  .map(({ name, description }) => `  ${name.padEnd(14)} ${description}`)
  .join('\n')}

Options:
  --rounds <n>      measured rounds, after one warm-up round (${FULL.rounds})
  --seconds <n>     length of the measured window (${FULL.seconds})
  --members <n>     members of the room
  --rates <n,n>     messages published per second
  --relays <a,b>    of ${Object.keys(RELAYS).join(', ')}; the first is what the others are measured against
  --patience <s>    how long each measurement waits for a quiet machine (${PATIENCE_S})
  --quick           one short round: whether everything works, not how fast; writes no report
  --profile         CPU profiles of the relays to bench/profiles; writes no report`;

/** @param {readonly string[]} args @throws {Error} with what would be right */
export function readOptions(args) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      members: { type: 'string' },
      rates: { type: 'string' },
      relays: { type: 'string' },
      patience: { type: 'string' },
      quick: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (positionals.length > 1) throw new Error('Name one scenario.');
  const name = positionals[0] ?? Object.keys(SCENARIOS)[0];
  if (!Object.hasOwn(SCENARIOS, name)) throw new Error(`There is no scenario "${name}".`);
  const scenario = SCENARIOS[name];
  const { defaults } = scenario;
  const lengths = values.quick ? QUICK : FULL;
  const relays = values.relays?.split(',') ?? defaults.relays;
  for (const relay of relays) if (!Object.hasOwn(RELAYS, relay)) throw new Error(`There is no relay "${relay}".`);
  return {
    help: values.help,
    scenario,
    profile: values.profile,
    writesReport: !values.quick && !values.profile,
    settings: {
      rounds: integer('rounds', values.rounds ?? lengths.rounds, 1, 100),
      seconds: integer('seconds', values.seconds ?? lengths.seconds, 1, 60),
      patienceSeconds: integer('patience', values.patience ?? PATIENCE_S, 0, 600),
      members: integer('members', values.members ?? defaults.members, 1, 15_000),
      rates: values.rates?.split(',').map(rate => integer('rates', rate, 1, 100_000)) ?? defaults.rates,
      relays,
      frameBytes: defaults.frameBytes,
    },
  };
}

function integer(name, value, min, max) {
  const number = Number(value);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw new Error(`--${name}: expected a whole number from ${min} to ${max}, got "${value}".`);
}
