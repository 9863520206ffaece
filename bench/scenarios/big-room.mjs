/**
 * One room of many members and one publisher: what a relay's fan-out costs. At 100 msg/s the relay has time, and what
 * counts is the latency; at 4,000 msg/s the bare engine has nothing to spare, and what counts is what gets through.
 */
import { measureRelay } from '../load/measure.mjs';
import { RELAYS } from '../relays/catalogue.mjs';

export const bigRoom = {
  name: 'big-room',
  description: 'one room of 1,000 members, at 100 msg/s and at a saturating 4,000 msg/s',
  defaults: { members: 1000, rates: [100, 4000], relays: Object.keys(RELAYS), frameBytes: 200 },
  /** Issue 2; issue 7 asks for more. Ratios to the bare relay. */
  targets: { hubbub: { deliveriesPerSecond: 0.9 } },

  /**
   * The relays take turns, each freshly started, so that what else happens on the machine meets all of them; the order
   * is turned round with every round, so that no relay always comes first.
   * @returns raw rows, one for each round, relay and rate; round 0 is the warm-up
   */
  async run({
    members,
    rates,
    relays,
    frameBytes,
    rounds,
    seconds,
    patienceSeconds,
    redis,
    pinning,
    nodeArgs,
    onStep,
    onRow,
  }) {
    const rows = [];
    for (let round = 0; round <= rounds; round++) {
      for (const name of round % 2 === 0 ? relays : relays.toReversed()) {
        onStep({ round, rounds, relay: name, members });
        const relay = { name, ...RELAYS[name] };
        const load = { room: 'big-room', members, rates, frameBytes, seconds, patienceSeconds };
        for (const measured of await measureRelay({ relay, load, redis, pinning, nodeArgs: nodeArgs(name, round) })) {
          const row = { round, warmUp: round === 0, relay: name, ...measured };
          rows.push(row);
          onRow(row);
        }
      }
    }
    return rows;
  },
};
