/** Processor time that processes and the whole machine have used, as the kernel counts it: in steps of 10 ms. Linux only. */
import { readFileSync } from 'node:fs';

/** USER_HZ is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

/** @param {readonly number[]} pids @returns {number | undefined} seconds, user and system, all threads */
export function cpuSeconds(pids) {
  try {
    return pids.reduce((total, pid) => {
      // The name in parentheses may hold spaces: fields are counted behind it. utime and stime are fields 14 and 15.
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').pop().split(' ');
      return total + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    }, 0);
  } catch {
    return undefined; // No /proc here: the report goes without.
  }
}

/** @returns {number | undefined} seconds in which a core of this machine was busy, whoever it was busy with */
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
