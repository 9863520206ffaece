/** Loaded into an edge (`node --import`): on SIGUSR2 its event loop does not turn for BUSY_LOOP_MS. */
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.on('SIGUSR2', () => {
    const endMs = performance.now() + Number(process.env.BUSY_LOOP_MS);
    while (performance.now() < endMs);
  });
}
