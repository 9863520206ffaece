/** Every measurement has a clock, and parts that end with it. */

/**
 * Returns microseconds of the machine's monotonic clock, the same in all processes of a run. Relative to the beginning of a run
 * they fit into ten digits of a message.
 */
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

/** For parts that outlive one function: `close` closes all of them. */
export function collectParts() {
  const open = [];
  return {
    /** @template {{ close: () => Promise<void> }} P @param {P | Promise<P>} starting @returns {Promise<P>} */
    async opened(starting) {
      const part = await starting;
      open.unshift(part);
      return part;
    },
    async close() {
      for (const part of open.splice(0)) await part.close();
    },
  };
}

/**
 * @template T
 * @param {(opened: <P extends { close: () => Promise<void> }>(starting: P | Promise<P>) => Promise<P>) => Promise<T>} task
 * @returns {Promise<T>}
 */
export async function withParts(task) {
  const { opened, close } = collectParts();
  try {
    return await task(opened);
  } finally {
    await close();
  }
}
