/** Who runs on which core: the relay alone on the first one, everything that loads it on the others. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * @typedef {object} Pinning
 * @property {string} [relay] cores of the relay; unset: not pinned
 * @property {string} [load] cores of Redis, publisher and members
 * @property {readonly string[]} nodeArgs of every relay: what suits a process with one core
 * @property {number} loadCores
 * @property {string} words for people
 */

/** As workers of an edge have it: helpers that collect garbage on the same core only take it from the relay, for 10 to 60 ms at a time. */
export const ONE_CORE = ['--single-threaded-gc', '--max-semi-space-size=4'];

/** @returns {Pinning} */
export function choosePinning() {
  const cores = availableParallelism();
  const loadCores = Math.max(1, cores - 1);
  if (cores < 2)
    return { nodeArgs: [], loadCores, words: 'not pinned: there is one core only, which relay and load share' };
  const load = cores === 2 ? '1' : `1-${cores - 1}`;
  if (spawnSync('taskset', ['-c', `0,${load}`, 'true']).status !== 0) {
    return { nodeArgs: [], loadCores, words: 'not pinned: there is no taskset here, or it may not pin' };
  }
  const words = `relay on core 0, with ${ONE_CORE.join(' ')}; Redis, publisher and members on core ${load}`;
  return { relay: '0', load, nodeArgs: ONE_CORE, loadCores, words };
}
