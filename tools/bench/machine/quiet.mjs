/** Waits until the machine has nothing else to do, within a limit. */

import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { cpuSeconds, machineSeconds } from './usage.mjs';

/** Share of a core that others may take before a measurement counts as disturbed. */
export const DISTURBED_CPU = 0.1;
const LOOK_MS = 200;
const LOOK_AGAIN_MS = 500;
const SPIN = `const end = performance.now() + ${LOOK_MS}; while (performance.now() < end);`;

/** Resolves when the machine was quiet for a moment, or after `withinMs`. Call it while nothing of ours is busy. */
export async function quietMachine(withinMs) {
  if (withinMs <= 0 || machineSeconds() === undefined) return; // Not requested, or not measurable here.
  const deadline = performance.now() + withinMs;
  while ((await coresOfOthers()) > DISTURBED_CPU && performance.now() < deadline) await sleep(LOOK_AGAIN_MS);
}

/**
 * Measures the cores that others take while this process requests all of them. Only under full load does the share appear
 * that the hypervisor gives to other machines.
 */
async function coresOfOthers() {
  const before = { at: performance.now(), machine: machineSeconds(), own: cpuSeconds([process.pid]) };
  await Promise.all(Array.from({ length: availableParallelism() }, spin));
  const seconds = (performance.now() - before.at) / 1000;
  const own = cpuSeconds([process.pid]) - before.own;
  return (machineSeconds() - before.machine - own) / seconds;
}

function spin() {
  const worker = new Worker(SPIN, { eval: true });
  return new Promise(resolve => worker.once('exit', resolve));
}
