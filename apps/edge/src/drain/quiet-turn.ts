/** Waits for the moment at which nobody waits at the port. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A turn of the loop this short has accepted whoever waited, and done nothing else since. */
const QUIET_TURN_MS = 0.05;
const TURNS_MAX = 1000;

/**
 * Closing one of several sockets on a port resets the connections that the kernel gave to it and that were not accepted yet,
 * unless Linux hands them over (sysctl net.ipv4.tcp_migrate_req=1). So it is done just after a turn that has accepted all.
 */
export async function nobodyWaits(): Promise<void> {
  for (let turns = 0; turns < TURNS_MAX; turns++) {
    const startedAtMs = performance.now();
    await nextTurn();
    if (performance.now() - startedAtMs < QUIET_TURN_MS) return;
  }
}
