/** Closes the parts of a measurement in reverse order of their start, even if the measurement fails. */

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
