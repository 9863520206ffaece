/** Pins processes to cores: the relay alone to the first one, its load to the others. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * @typedef {object} Pinning
 * @property {string} [relay] cores of the relay; unset: not pinned
 * @property {string} [load] cores of Redis, publisher and members
 * @property {readonly string[]} nodeArgs of every relay, for a process with one core
 * @property {number} loadCores
 * @property {string} words for people
 */

/**
 * The arguments of an edge's workers. Helper threads of the garbage collection would share the one core with the relay,
 * and stop it for 10 to 60 ms at a time.
 */
export const ONE_CORE = ['--single-threaded-gc', '--max-semi-space-size=4'];

/** @returns {Pinning} */
export function choosePinning() {
  const cores = availableParallelism();
  const loadCores = Math.max(1, cores - 1);
  if (cores < 2) return { nodeArgs: [], loadCores, words: 'not pinned: relay and load share the only core' };
  const load = cores === 2 ? '1' : `1-${cores - 1}`;
  if (spawnSync('taskset', ['-c', `0,${load}`, 'true']).status !== 0) {
    return { nodeArgs: [], loadCores, words: 'not pinned: taskset is missing, or may not pin' };
  }
  const words = `relay on core 0, with ${ONE_CORE.join(' ')}; Redis, publisher and members on core ${load}`;
  return { relay: '0', load, nodeArgs: ONE_CORE, loadCores, words };
}
