/** Measures the processor use of the relay, its load, Redis and other processes between two samples, in cores. */
import { cpuSeconds, machineSeconds } from './cpu-time.mjs';

/** @param {Record<string, readonly number[]>} pids by group; each pid only once */
export function cpuMeter(pids) {
  const look = () => ({
    at: performance.now(),
    machine: machineSeconds(),
    ...Object.fromEntries(Object.entries(pids).map(([who, own]) => [who, cpuSeconds(own)])),
  });
  return {
    look,
    /** Cores that each group used between the samples; `others`: all other processes. @returns {Record<string, number>} */
    between(before, after) {
      const seconds = (after.at - before.at) / 1000;
      const cores = Object.fromEntries(
        ['machine', ...Object.keys(pids)].map(who => [who, (after[who] - before[who]) / seconds]),
      );
      const others = Object.keys(pids).reduce((rest, who) => rest - cores[who], cores.machine);
      return { ...cores, others };
    },
  };
}
