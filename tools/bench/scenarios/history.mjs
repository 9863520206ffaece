/**
 * Measures the cost of a history without failures: clients publish into many small rooms, with a history and without.
 * Both kinds are on one edge and take turns of a few seconds, so that the state of machine and heap affects both.
 */

import { roomNames } from '../load/crew.mjs';
import { measureRate, openTraffic } from '../load/measure-traffic.mjs';
import { collectParts } from '../load/measurement.mjs';
import { quietMachine } from '../machine/quiet.mjs';
import { RELAYS } from '../relays/catalogue.mjs';
import { historyConfig } from '../relays/start.mjs';
import { TALK_MEASURES, TRAFFIC_QUICK } from './traffic.mjs';

const HISTORY_SIZE = 100;
/** Short, because the edge is warm from the previous round. */
const SETTLE_MS = 300;
/** Time of a turn beside its window: settling, late messages, and a share of the start. */
const OVERHEAD_S = 30;

/** @type {import('../comparison.mjs').Comparison} */
export const history = {
  name: 'history',
  description:
    'clients talk in 100 rooms, one talker and 10 listeners each: rooms with a history beside rooms without, in turns on one edge',
  stepTitle: 'msg/s',
  relays: {
    plain: { ...RELAYS.hubbub, title: 'rooms without history' },
    kept: { ...RELAYS.hubbub, title: `rooms with a history of ${HISTORY_SIZE} messages` },
  },
  full: { relays: ['plain', 'kept'], rounds: 40, seconds: 2, patience: 2, rooms: 100, members: 10, rates: [1000] },
  quick: TRAFFIC_QUICK,
  warmUp: { seconds: 4, patience: 0 },
  measures: TALK_MEASURES,
  targets: [{ relay: 'kept', against: 'plain', key: 'p99Ms', atMost: 1.5 }],
  turnSeconds: ({ rates, seconds, patience }) => rates.length * (seconds + patience + OVERHEAD_S),
  startOnce: startBothKinds,
};

async function startBothKinds({ settings, ...start }) {
  const { opened, close } = collectParts();
  const config = historyConfig(HISTORY_SIZE);
  const rooms = settings.relays.flatMap(kind => roomNames(settings.rooms, `${kind}:`));
  const load = { ...settings, rooms, talkers: 1, settleMs: SETTLE_MS, env: config };
  try {
    const traffic = await openTraffic({ ...start, relay: RELAYS.hubbub, load }, opened);
    return {
      async measure({ relay, settings: own }) {
        const from = settings.relays.indexOf(relay.name) * settings.rooms;
        const rows = [];
        for (const rate of own.rates) {
          await quietMachine(own.patience * 1000);
          const talkersOf = { from, to: from + settings.rooms };
          rows.push(await measureRate({ ...traffic, load: { ...load, ...own, rooms }, rate, talkersOf }));
        }
        return rows;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
