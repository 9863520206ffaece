/** Default limits that follow from the memory of the machine, or of the container. */
import { totalmem } from 'node:os';

/** An idle session of an edge takes 4 KiB of the process, and its sockets take 8 KiB of the kernel (docs/performance.md). */
const SESSION_BYTES = 12 * 1024;
/** The other half of the memory is for buffers, rooms, garbage, and the process itself. */
const SHARE_OF_SESSIONS = 0.5;
const SHARE_OF_BUFFERS = 0.25;
const MIN_BUFFERED_BYTES = 1_048_576;

/** The memory of the machine, or the limit of the cgroup if that is lower. */
export function memoryLimitBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** @example sessionsFor(2 ** 30) === 43_690 */
export function sessionsFor(memoryBytes: number): number {
  return Math.floor((memoryBytes * SHARE_OF_SESSIONS) / SESSION_BYTES);
}

/** @example bufferedBytesFor(2 ** 30) === 2 ** 28 */
export function bufferedBytesFor(memoryBytes: number): number {
  return Math.max(MIN_BUFFERED_BYTES, Math.floor(memoryBytes * SHARE_OF_BUFFERS));
}
