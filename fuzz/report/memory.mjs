/** Whether memory is flat: the rules, and the figures they look at. */

export const MIB = 2 ** 20;
/** Share of a run that counts as warm-up: pools, caches and the heap grow to their size. */
export const WARM_UP = 0.2;
/** In a shorter run the heap is still on its way to its size. */
const INPUTS_MIN = 200_000;
/** What may come on top of it: one more step of the heap's own sizing, and fragments of the allocator. */
const RSS_GROWTH_MAX_BYTES = 32 * MIB;
/** Held by live objects after a full collection; compiled code and counters grow a little. */
const HEAP_GROWTH_MAX_BYTES = 2 * MIB;

/**
 * RSS: the median of the last tenth of the run is at most 32 MiB above the median of the tenth that follows the warm-up.
 * @param {readonly import('../target/watch.mjs').Sample[]} samples
 */
export function rssVerdict(samples) {
  const total = samples.at(-1)?.inputs ?? 0;
  if (total < INPUTS_MIN)
    return { flat: true, words: `not judged below ${INPUTS_MIN} inputs`, startBytes: samples[0]?.rssBytes };
  const between = (from, to) => samples.filter(({ inputs }) => inputs >= total * from && inputs <= total * to);
  const warm = median(between(WARM_UP, WARM_UP + 0.1));
  const end = median(between(0.9, 1));
  const growth = end - warm;
  const perInput = growth / (total * (0.9 - WARM_UP));
  return {
    flat: growth <= RSS_GROWTH_MAX_BYTES,
    words: `RSS ${mib(growth)} from warm-up to end (${perInput.toFixed(1)} bytes an input), at most ${mib(RSS_GROWTH_MAX_BYTES)}`,
    startBytes: samples[0].rssBytes,
    warmBytes: warm,
    endBytes: end,
    maxBytes: Math.max(...samples.map(({ rssBytes }) => rssBytes)),
  };
}

/** The heap after a full collection, before and after: what grew is held, and not only not yet collected. */
export function heapVerdict(beforeBytes, afterBytes, count) {
  const growth = afterBytes - beforeBytes;
  return {
    flat: growth <= HEAP_GROWTH_MAX_BYTES,
    words: `held heap ${mib(growth)} (${(growth / count).toFixed(2)} bytes each), at most ${mib(HEAP_GROWTH_MAX_BYTES)}`,
  };
}

function median(samples) {
  const sorted = samples.map(({ rssBytes }) => rssBytes).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** @param {number} bytes with its sign */
export function mib(bytes) {
  return `${bytes < 0 ? '−' : '+'}${Math.abs(bytes / MIB).toFixed(1)} MiB`;
}
