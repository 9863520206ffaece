/** Who runs on which core: the relay alone on the first one, everything that loads it on the others. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * @typedef {object} Pinning
 * @property {string} [relay] cores of the relay; unset: not pinned
 * @property {string} [load] cores of Redis, publisher and members
 * @property {number} loadCores
 * @property {string} words for people
 */

/** @returns {Pinning} */
export function choosePinning() {
  const cores = availableParallelism();
  const loadCores = Math.max(1, cores - 1);
  if (cores < 2) return { loadCores, words: 'not pinned: there is one core only, which relay and load share' };
  const load = cores === 2 ? '1' : `1-${cores - 1}`;
  if (spawnSync('taskset', ['-c', `0,${load}`, 'true']).status !== 0) {
    return { loadCores, words: 'not pinned: there is no taskset here, or it may not pin' };
  }
  return { relay: '0', load, loadCores, words: `relay on core 0; Redis, publisher and members on core ${load}` };
}
