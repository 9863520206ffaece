/**
 * One clock for all processes of a run: microseconds of the machine's monotonic clock since the run began. Small enough
 * for ten digits in a message, and without the steps that the time of day makes.
 */

/** @returns {number} microseconds; the same in every process of this machine. */
export function machineMicros() {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + Math.floor(nanoseconds / 1000);
}

/** @param {number} originUs what `machineMicros` said when the run began */
export function createClock(originUs) {
  const now = () => machineMicros() - originUs;
  return {
    originUs,
    now,
    /** Resolves at `us`, or at once when that is past. @param {number} us */
    until: us => new Promise(resolve => setTimeout(resolve, Math.max(0, (us - now()) / 1000))),
  };
}
