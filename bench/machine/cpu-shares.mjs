/** Who used the processor between two looks, in cores: the relay, its load, Redis, and others. */
import { cpuSeconds, machineSeconds } from './cpu-time.mjs';

/** @param {Record<string, readonly number[]>} pids by who it is; none stands twice */
export function cpuMeter(pids) {
  const look = () => ({
    at: performance.now(),
    machine: machineSeconds(),
    ...Object.fromEntries(Object.entries(pids).map(([who, own]) => [who, cpuSeconds(own)])),
  });
  return {
    look,
    /** Cores each used between the two; `others` are those that are none of these. @returns {Record<string, number>} */
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
