/** Judges whether memory is flat. */

import { readMetrics } from '@hubbub/tools/kit';
import { MIB } from '../../report/tables.mjs';

/** Share of a run that counts as warm-up: pools, caches and the heap grow to their size. */
export const WARM_UP = 0.4;
/** After a collection: allows for fragmentation, and for the steps in which heaps grow. */
const RSS_GROWTH_MAX_BYTES = 32 * MIB;
/** Of live objects: compiled code and counters grow a little. */
const HEAP_GROWTH_MAX_BYTES = 2 * MIB;

/**
 * @typedef {object} Held memory right after a full collection
 * @property {number} heapBytes @property {number} rssBytes
 */

/** @param {import('../target/target.mjs').Part} part @returns {Promise<Held>} */
export async function heldBy(part) {
  const heapBytes = await part.collectGarbage();
  const rssBytes = (await readMetrics(part)).get('process_resident_memory_bytes');
  return { heapBytes, rssBytes };
}

/**
 * Compares two readings, each right after a full collection: the amount of garbage depends on the speed of the machine.
 * Too few inputs between the readings give no verdict.
 *
 * @param {{ warm: Held | undefined, end: Held, count: number, countMin: number }} readings `warm`: after the warm-up; `count`:
 *   inputs or connections between the two; `countMin`: the number that a verdict needs
 * @returns {{ verdict: 'flat' | 'grows' | 'not measured', words: string }}
 */
export function memoryVerdict({ warm, end, count, countMin }) {
  if (warm === undefined || count < countMin) {
    const between = warm === undefined ? 'no reading after the warm-up' : `${count} after the warm-up`;
    return { verdict: 'not measured', words: `${between}; a verdict needs ${countMin}` };
  }
  const heapGrowth = end.heapBytes - warm.heapBytes;
  const rssGrowth = end.rssBytes - warm.rssBytes;
  return {
    verdict: heapGrowth <= HEAP_GROWTH_MAX_BYTES && rssGrowth <= RSS_GROWTH_MAX_BYTES ? 'flat' : 'grows',
    words: [
      `held heap ${mib(heapGrowth)} (${(heapGrowth / count).toFixed(2)} bytes each; at most ${mib(HEAP_GROWTH_MAX_BYTES)})`,
      `RSS after a collection ${mib(rssGrowth)} (at most ${mib(RSS_GROWTH_MAX_BYTES)})`,
    ].join(', '),
  };
}

/** @param {number} bytes with its sign */
export function mib(bytes) {
  return `${bytes < 0 ? '−' : '+'}${Math.abs(bytes / MIB).toFixed(1)} MiB`;
}
