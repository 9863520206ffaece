/** What one measurement started, ended again in the opposite order, whatever becomes of it. */

/**
 * @template T
 * @param {(opened: <P extends { close: () => Promise<void> }>(starting: P | Promise<P>) => Promise<P>) => Promise<T>} task
 * @returns {Promise<T>}
 */
export async function withParts(task) {
  const open = [];
  try {
    return await task(async starting => {
      const part = await starting;
      open.unshift(part);
      return part;
    });
  } finally {
    for (const part of open) await part.close();
  }
}
