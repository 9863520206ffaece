/** Runs a scenario that compares: relays take turns over several rounds; prints, judges and writes the results. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findRedis, startRedis } from '@hubbub/tools/kit';
import { Redis } from 'ioredis';
import { boundTime, ownCommand } from '../command-line.mjs';
import { describeMachine } from '../report/machine.mjs';
import { choosePinning } from './machine/pinning.mjs';
import { RELAYS } from './relays/catalogue.mjs';
import { hottestFunctions, PROFILES_DIR } from './report/profile.mjs';
import { mediansTable, peaksTable, ratiosTable, rowInWords } from './report/tables.mjs';
import { isClean, verdictLines } from './report/verdicts.mjs';

/**
 * @typedef {object} Comparison
 * @property {string} name @property {string} description @property {string} stepTitle what the steps of a round count
 * @property {Record<string, import('./relays/catalogue.mjs').Relay>} [relays] what is compared; all relays when absent
 * @property {object} full settings, their names the options: `relays` (the first is what the others are measured against), `rounds`, …
 * @property {object} quick what --quick changes
 * @property {object} [warmUp] what is different in a round before the first, which is not counted; without it there is none
 * @property {readonly string[]} measures keys of report/measures.mjs, in the order of the tables
 * @property {string} [peak] measure with its largest value over the steps as the relay's capacity
 * @property {readonly import('./report/verdicts.mjs').Target[]} targets
 * @property {(settings: object) => number} turnSeconds that the turn of one relay takes at most
 * @property {(turn: object) => Promise<object[]>} [measure] rows with `step` and the measures
 * @property {(start: object) => Promise<{ measure: (turn: object) => Promise<object[]>, close: () => Promise<void> }>} [startOnce] in
 *   place of `measure`, where both sides run in one process that is started once for all rounds
 */

/** @param {Comparison} scenario @param {object} settings @returns {Promise<import('../report/results.mjs').Run>} */
export async function compare(scenario, settings) {
  const catalogue = scenario.relays ?? RELAYS;
  for (const relay of settings.relays)
    if (!Object.hasOwn(catalogue, relay)) throw new Error(`There is no relay "${relay}" here.`);
  boundTime((settings.rounds + 1) * settings.relays.length * scenario.turnSeconds(settings));
  const pinning = choosePinning();
  const machine = describeMachine({ redis: findRedis().version, pinning: pinning.words });
  if (settings.profile) emptyProfiles(settings.relays);
  console.log(`${scenario.name}: ${scenario.description}. ${pinning.words}.`);

  const redis = await startRedis({ cpus: pinning.load });
  const rows = await allRounds({ scenario, settings, catalogue, redis, pinning });
  await redis.dispose();

  const { name, description } = scenario;
  const run = { scenario: name, description, command: ownCommand('npm run bench'), settings, machine, rows };
  const sections = [
    `## Medians\n\n${mediansTable(scenario, rows)}`,
    ...(scenario.peak === undefined ? [] : [`## The most of each\n\n${peaksTable(scenario, rows)}`]),
    `## Ratios to ${settings.relays[0]}: median of the rounds (smallest to largest)\n\n${ratiosTable(scenario, rows)}`,
  ];
  console.log(`\n${[...sections, verdictLines(scenario, run)].join('\n\n')}`);
  if (settings.profile) tellProfiles(settings.relays);
  if (!isClean(catalogue, rows)) process.exitCode = 1;
  return run;
}

/**
 * The relays take turns, each freshly started on an empty Redis unless all are one. So other load on the machine affects all of
 * them. The order is reversed with every round: no relay always comes first.
 */
async function allRounds({ scenario, settings, catalogue, redis, pinning }) {
  const rows = [];
  const commands = new Redis(redis.url);
  const argsFor = name => [
    ...pinning.nodeArgs,
    ...(settings.profile ? ['--cpu-prof', `--cpu-prof-dir=${join(PROFILES_DIR, name)}`] : []),
  ];
  const once = await scenario.startOnce?.({
    settings,
    redis,
    pinning,
    nodeArgs: argsFor(settings.relays[0]),
  });
  for (let round = scenario.warmUp === undefined ? 1 : 0; round <= settings.rounds; round++) {
    for (const name of round % 2 === 0 ? settings.relays : settings.relays.toReversed()) {
      console.log(`${round === 0 ? 'warm-up' : `round ${round} of ${settings.rounds}`}: ${name} …`);
      if (once === undefined) await commands.flushall();
      const turn = {
        relay: { name, ...catalogue[name] },
        settings: round === 0 ? { ...settings, ...scenario.warmUp } : settings,
        redis,
        commands,
        pinning,
        nodeArgs: argsFor(name),
      };
      for (const measured of await (once ?? scenario).measure(turn)) {
        const row = { round, warmUp: round === 0, relay: name, ...measured };
        rows.push(row);
        console.log(`  ${rowInWords(scenario, row)}`);
      }
    }
  }
  await once?.close();
  commands.disconnect();
  return rows;
}

function emptyProfiles(relays) {
  rmSync(PROFILES_DIR, { recursive: true, force: true });
  for (const relay of relays) mkdirSync(join(PROFILES_DIR, relay), { recursive: true });
}

/** The last profile of each relay: the warm-up's comes first. */
function tellProfiles(relays) {
  for (const relay of relays) {
    const dir = join(PROFILES_DIR, relay);
    const last = existsSync(dir) ? readdirSync(dir).sort().at(-1) : undefined;
    if (last !== undefined) console.log(`\nProfile of ${relay}:\n${hottestFunctions(join(dir, last)).join('\n')}`);
  }
}
