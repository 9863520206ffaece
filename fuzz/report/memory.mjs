/** Whether memory is flat: the rules, and the figures they look at. */

import { readMetrics } from '../target/metrics.mjs';

export const MIB = 2 ** 20;
/** Share of a run that counts as warm-up: pools, caches and the heap grow to their size. */
export const WARM_UP = 0.2;
/** Of what is left after a collection: fragments of the allocator, and steps in which heaps grow. */
const RSS_GROWTH_MAX_BYTES = 32 * MIB;
/** Held by live objects; compiled code and counters grow a little. */
const HEAP_GROWTH_MAX_BYTES = 2 * MIB;
/** Garbage comes and goes in waves: what the highest wave of the second half may be above that of the first. */
const WAVE_GROWTH_MAX_BYTES = 64 * MIB;

/**
 * @typedef {object} Held memory right after a full collection
 * @property {number} heapBytes @property {number} rssBytes
 */

/** @param {import('../target/target.mjs').Part} part @returns {Promise<Held>} */
export async function heldBy(part) {
  const heapBytes = await part.collectGarbage();
  const rssBytes = (await readMetrics(part.adminPort)).get('process_resident_memory_bytes');
  return { heapBytes, rssBytes };
}

/**
 * Flat is: right after a full collection at the end, the heap is at most 2 MiB and RSS at most 32 MiB above what they were right
 * after one when the warm-up was over; and no wave of garbage in the second half is 64 MiB above the highest of the first.
 * @param {Held} warm @param {Held} end @param {readonly import('../target/watch.mjs').Sample[]} samples @param {number} count inputs or connections between the two
 */
export function memoryVerdict(warm, end, samples, count) {
  const heapGrowth = end.heapBytes - warm.heapBytes;
  const rssGrowth = end.rssBytes - warm.rssBytes;
  const half = samples.length / 2;
  const highest = part => Math.max(0, ...part.map(({ rssBytes }) => rssBytes));
  const waveGrowth = highest(samples.slice(half)) - highest(samples.slice(0, half));
  return {
    flat:
      heapGrowth <= HEAP_GROWTH_MAX_BYTES && rssGrowth <= RSS_GROWTH_MAX_BYTES && waveGrowth <= WAVE_GROWTH_MAX_BYTES,
    words: [
      `held heap ${mib(heapGrowth)} (${(heapGrowth / count).toFixed(2)} bytes each; at most ${mib(HEAP_GROWTH_MAX_BYTES)})`,
      `RSS after a collection ${mib(rssGrowth)} (at most ${mib(RSS_GROWTH_MAX_BYTES)})`,
      `highest wave of the second half ${mib(waveGrowth)} against the first (at most ${mib(WAVE_GROWTH_MAX_BYTES)})`,
    ].join(', '),
  };
}

/** @param {number} bytes with its sign */
export function mib(bytes) {
  return `${bytes < 0 ? '−' : '+'}${Math.abs(bytes / MIB).toFixed(1)} MiB`;
}
