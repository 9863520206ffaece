/** Measures the constants of the capacity model, and set-ups that check it. Processor time counts, so other work disturbs little. */
import { loadavg } from 'node:os';
import { findRedis } from '@hubbub/tools/kit';
import { boundTime, ownCommand } from '../../command-line.mjs';
import { describeMachine } from '../../report/machine.mjs';
import { withParts } from '../load/measurement.mjs';
import { ONE_CORE } from '../machine/pinning.mjs';
import { measureOpening, OPENINGS } from './opening.mjs';
import { measureRegistry, REGISTRIES } from './registry.mjs';
import { SERVERS, SETUPS } from './setups.mjs';
import { openStage } from './stage.mjs';
import { measureStorage } from './storage.mjs';
import { capacitySummary } from './summary.mjs';

const REST_MS = 1500;
const LIMIT_S = 900;
/** Rounds before those that count: the edges have then compiled their code. */
const WARM_UPS = 1;

export const capacity = {
  name: 'capacity',
  description:
    'costs of each action at Redis, an edge and presence, and set-ups that check the capacity model; no relays are compared',
  full: { rounds: 7 },
  quick: { rounds: 1 },

  /** @param {{ rounds: number }} settings */
  async run(settings) {
    boundTime(LIMIT_S);
    const machine = describeMachine({
      redis: findRedis().version,
      pinning: `not pinned; edges with ${ONE_CORE.join(' ')}`,
    });
    const { name: scenario, description } = capacity;
    const command = ownCommand('npm run bench');
    const run = { scenario, description, command, settings, machine };
    run.registries = await each(REGISTRIES, measureRegistry);
    run.openings = await each(OPENINGS, measureOpening);
    run.storage = await measureStorage();
    Object.assign(run, await measureTurns(settings));
    // Of the last 15 minutes: most of them are this run, which needs about one core.
    run.loadAverage = loadavg()[2];
    console.log(`\n${capacitySummary(run)}\n`);
    return run;
  },

  summarize: capacitySummary,
};

/** All topologies run throughout and take turns: other work on the machine affects all of them. */
async function measureTurns({ rounds }) {
  return await withParts(async opened => {
    const stages = {};
    for (const topology of Object.keys(SERVERS)) {
      console.log(`Starting: ${topology} …`);
      stages[topology] = await opened(openStage(topology));
    }
    const [turns, rests] = [[], []];
    for (let round = 1 - WARM_UPS; round <= rounds; round++) {
      console.log(`Round ${round} of ${rounds} …`);
      for (const [topology, stage] of Object.entries(stages)) {
        const rest = { round, topology, ...(await stage.rest(REST_MS)) };
        const rows = [];
        const setups = SETUPS.filter(own => own.topology === topology);
        for (const setup of round % 2 === 0 ? setups : setups.reverse()) {
          rows.push({ round, topology, name: setup.name, ...(await stage.measure(setup)) });
        }
        if (round < 1) continue;
        rests.push(rest);
        turns.push(...rows);
      }
    }
    return { rests, turns };
  });
}

/** @template {{ name: string }} Row @param {readonly Row[]} rows @param {(row: Row) => Promise<object>} measure */
async function each(rows, measure) {
  const measured = [];
  for (const row of rows) {
    console.log(`${row.name} …`);
    measured.push({ ...row, ...(await measure(row)) });
  }
  return measured;
}
