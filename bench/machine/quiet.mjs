/** Waits for a machine that has nothing else to do, as long as that makes sense. */
import { setTimeout as sleep } from 'node:timers/promises';
import { machineSeconds } from './cpu-time.mjs';

/** Share of a core that others may take before a measurement counts as disturbed. */
export const DISTURBED_CPU = 0.1;
const LOOK_MS = 500;

/** Resolves when the machine was quiet for a moment, or after `withinMs`. Call it while nothing of ours is busy. */
export async function quietMachine(withinMs) {
  const deadline = performance.now() + withinMs;
  do {
    const before = machineSeconds();
    if (before === undefined) return; // Cannot be known here.
    await sleep(LOOK_MS);
    if ((machineSeconds() - before) / (LOOK_MS / 1000) < DISTURBED_CPU) return;
  } while (performance.now() < deadline);
}
