/** Runs a benchmark: `npm run bench [scenario]`, or `node bench/run.mjs` when everything is built. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadEngine } from '@hubbub/edge';
import { describeMachine } from './machine/facts.mjs';
import { choosePinning } from './machine/pinning.mjs';
import { findRedis, startRedis } from './machine/redis.mjs';
import { readOptions, USAGE } from './options.mjs';
import { PROFILES_DIR, RELAYS } from './relays/catalogue.mjs';
import { hottestFunctions } from './report/profile.mjs';
import { summarize } from './report/statistics.mjs';
import { mediansTable, ratiosTable, rowInWords } from './report/tables.mjs';
import { cautions, isClean, targetVerdicts } from './report/verdicts.mjs';
import { writeReport } from './report/write-report.mjs';
import { OTHER_SCENARIOS } from './scenarios/catalogue.mjs';

/** Per relay and round: starting, connecting and ending take no longer than this. */
const OVERHEAD_S = 60;
/** And per measurement beside the window and the wait for a quiet machine: settling, and what is late. */
const MEASUREMENT_OVERHEAD_S = 30;

try {
  await main();
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}
process.exit(); // Children that do not end by themselves are ended by that.

async function main() {
  const [name, ...args] = process.argv.slice(2).filter(argument => argument !== '--');
  if (Object.hasOwn(OTHER_SCENARIOS, name)) return OTHER_SCENARIOS[name].run(args);
  const options = readOptions(process.argv.slice(2));
  if (options.help) return console.log(USAGE);
  const { scenario, settings, profile } = options;
  boundTime(settings);
  const redisServer = findRedis();
  const pinning = choosePinning();
  const machine = describeMachine({ redisVersion: redisServer.version, pinning, engine: loadEngine().build });
  if (profile) emptyProfiles();
  console.log(`${scenario.name}: ${scenario.description}. ${pinning.words}.`);

  const redis = await startRedis(redisServer.command, pinning.load);
  const rows = await scenario.run({
    ...settings,
    redis,
    pinning,
    nodeArgs: relay => (profile ? ['--cpu-prof', `--cpu-prof-dir=${join(PROFILES_DIR, relay)}`] : []),
    onStep: ({ round, rounds, relay, members }) =>
      console.log(`${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${relay}, ${members} members …`),
    onRow: row => console.log(`  ${rowInWords(row)}`),
  });
  await redis.close();

  const summaries = summarize(rows);
  const verdicts = targetVerdicts(summaries, scenario.targets);
  const words = cautions(rows, pinning.loadCores);
  console.log(`\n${mediansTable(summaries)}\n\nRatios to ${settings.relays[0]}:\n\n${ratiosTable(summaries)}\n`);
  for (const line of [...verdicts, ...words]) console.log(line);
  if (profile) tellProfiles(settings.relays);
  if (options.writesReport) {
    const date = new Date().toISOString().slice(0, 10);
    const titles = Object.fromEntries(settings.relays.map(relay => [relay, RELAYS[relay].title]));
    const command = ['npm run bench', '--', ...process.argv.slice(2)].join(' ').replace(/ --$/, '');
    const { name, description } = scenario;
    const run = {
      scenario: name,
      description,
      date,
      command,
      settings,
      machine,
      titles,
      verdicts,
      words,
      summaries,
      rows,
    };
    console.log(`\nWritten: ${writeReport(run)}`);
  }
  if (!isClean(rows)) process.exitCode = 1;
}

/** A run that hangs all the same is ended. */
function boundTime({ rounds, seconds, patienceSeconds, relays, rates }) {
  const measurementS = seconds + patienceSeconds + MEASUREMENT_OVERHEAD_S;
  const limitS = (rounds + 1) * relays.length * (OVERHEAD_S + 2 * rates.length * measurementS); // Each at most repeated once.
  setTimeout(() => {
    console.error(`bench: not done after ${limitS} s; ended.`);
    process.exit(1);
  }, limitS * 1000).unref();
}

function emptyProfiles() {
  rmSync(PROFILES_DIR, { recursive: true, force: true });
  for (const relay of Object.keys(RELAYS)) mkdirSync(join(PROFILES_DIR, relay), { recursive: true });
}

/** The last profile of each relay: the warm-up's comes first. */
function tellProfiles(relays) {
  for (const relay of relays) {
    const dir = join(PROFILES_DIR, relay);
    const last = existsSync(dir) ? readdirSync(dir).sort().at(-1) : undefined;
    if (last !== undefined) console.log(`\nProfile of ${relay}:\n${hottestFunctions(join(dir, last)).join('\n')}`);
  }
}
