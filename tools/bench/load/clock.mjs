/**
 * One clock for all processes of a run: microseconds of the machine's monotonic clock since the run began.
 * Its values fit into ten digits of a message, and it has no steps as the time of day has.
 */

/** @returns {number} microseconds; the same in every process of this machine. */
export function machineMicros() {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + Math.floor(nanoseconds / 1000);
}

/** @param {number} originUs result of `machineMicros` when the run began */
export function createClock(originUs) {
  const now = () => machineMicros() - originUs;
  return {
    originUs,
    now,
    /** Resolves at `us`, or immediately when that is past. @param {number} us */
    until: us => new Promise(resolve => setTimeout(resolve, Math.max(0, (us - now()) / 1000))),
  };
}
