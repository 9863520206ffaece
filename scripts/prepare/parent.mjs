/** Ends with the process that started this one: npm puts a shell between, which does not pass signals on. */

const INTERVAL_MS = 500;

/** From now on, SIGTERM reaches us when our parent has ended: a killed `npm start` leaves no server behind. */
export function endWithParent() {
  if (process.env.npm_lifecycle_event === undefined) return; // Started by hand: `node scripts/start.mjs &` may continue alone.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, INTERVAL_MS);
  watch.unref();
}
