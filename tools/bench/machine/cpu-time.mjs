/** Reads the processor time of processes and of the whole machine from the kernel, in steps of 10 ms. Linux only. */
import { readFileSync } from 'node:fs';

/** USER_HZ is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** @param {readonly number[]} pids @returns {number | undefined} seconds, user and system, all threads */
export function cpuSeconds(pids) {
  try {
    return pids.reduce((total, pid) => {
      // The name in parentheses may contain spaces: fields are counted after it. utime and stime are fields 14 and 15.
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').pop().split(' ');
      return total + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    }, 0);
  } catch {
    return undefined; // Without /proc the report omits it.
  }
}

/** @returns {number | undefined} busy seconds of all cores, whatever the process */
export function machineSeconds() {
  try {
    const [, user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'latin1')
      .split('\n')[0]
      .split(/ +/);
    return [user, nice, system, irq, softirq, steal].reduce((sum, ticks) => sum + Number(ticks) / TICKS_PER_SECOND, 0);
  } catch {
    return undefined;
  }
}
