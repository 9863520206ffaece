/** The capacity model: searches the number of processes that a cluster needs, and names what breaks first. */
import { figuresOf, resourcesOf } from './resources.mjs';

/** In one step of the search. */
const GROWTH_MAX = 2;
/** So many times as many processes must take at least this part of the load from each: else more do not help. */
const FAR = 16;
const GAIN_MIN = 0.25;
const COUNT_MAX = 100_000;

/**
 * @typedef {object} Input
 * @property {number} sessions @property {number} rooms @property {number} roomsPerSession @property {number} sessionsPerUser
 * @property {number} rate messages a second, in all rooms together @property {number} bytes of a message
 * @property {'clients' | 'services'} from the senders of messages @property {number} history messages that a room keeps; 0: none
 * @property {number} spread share of rooms, 0 to 1, with members on edges at random; the members of each other room are on one edge
 * @property {boolean} presence @property {number} joins a second while clients reconnect
 * @property {number} sessionsPerEdge at most @property {number} spareEdges that may fail or drain @property {number} replicas of each primary
 * @property {number} turnSeconds the longest turn of a process: it handles together what arrived meanwhile
 * @property {Partial<Counts>} fixed counts that are not to be planned
 * @property {number} load share of a core that may be used, 0 to 1
 * @property {number} redisGib @property {number} edgeGib @property {number} presenceGib memory of one process
 * @property {number} mbit network of one process, Mbit/s
 *
 * @typedef {{ edges: number, primaries: number, instances: number }} Counts
 * @typedef {object} Resource
 * @property {string} of the kind of process of which more would help, if there is one: a key of `Counts` @property {string} what @property {number} used @property {number} limit
 * @property {'core' | 'GiB' | 'Mbit/s' | ''} unit @property {string} change what to do if it is the bottleneck
 */

/**
 * @param {Input} input @param {ReturnType<typeof import('../bench/capacity/constants.mjs').constantsOf>} constants
 * @returns {{ counts: Counts, resources: Resource[], bottleneck: Resource, fits: boolean, figures: Record<string, number> }}
 */
export function planCluster(input, constants) {
  const counts = {
    edges: Math.max(2, Math.ceil(input.sessions / input.sessionsPerEdge) + input.spareEdges),
    primaries: 1,
    instances: input.presence ? 2 : 0,
    ...input.fixed,
  };
  /** Kinds that get no more processes: they do not help, or their number is fixed. */
  const stuck = new Set(Object.keys(input.fixed));
  for (;;) {
    const resources = resourcesOf(input, counts, constants);
    const short = resources.find(({ of, used, limit }) => used > limit && of in counts && !stuck.has(of));
    if (short === undefined) {
      const [bottleneck] = resources.sort((one, other) => other.used / other.limit - one.used / one.limit);
      const fits = bottleneck.used <= bottleneck.limit;
      return { counts, resources, bottleneck, fits, figures: figuresOf(input, counts, constants) };
    }
    const { of, what, used, limit } = short;
    const far = resourcesOf(input, { ...counts, [of]: counts[of] * FAR }, constants).find(
      own => own.what === what,
    ).used;
    const growth = Math.min(GROWTH_MAX, Math.max(used / limit, 1 + 1 / counts[of]));
    if (1 - far / used < GAIN_MIN || counts[of] * growth > COUNT_MAX) stuck.add(of);
    else counts[of] = Math.ceil(counts[of] * growth);
  }
}
