/** Reads the processor time and the memory of processes and of the machine from the kernel. Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;
const KIB = 1024;

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

/** As `cpuSeconds`, in steps of nanoseconds instead of 10 ms. Throws without /proc. @param {readonly number[]} pids */
export function exactCpuSeconds(pids) {
  const nanoseconds = pids.flatMap(pid =>
    readdirSync(`/proc/${pid}/task`).map(thread =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]),
    ),
  );
  return nanoseconds.reduce((sum, own) => sum + own / 1e9, 0);
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

/**
 * Measures the cores that each group of processes uses between two samples; `others`: all other processes.
 * @param {Record<string, readonly number[]>} pids by group; each pid only once
 */
export function cpuMeter(pids) {
  const groups = Object.keys(pids);
  return {
    look: () => ({
      at: performance.now(),
      machine: machineSeconds(),
      ...Object.fromEntries(groups.map(who => [who, cpuSeconds(pids[who])])),
    }),
    /** @returns {Record<string, number>} */
    between(before, after) {
      const seconds = (after.at - before.at) / 1000;
      const cores = Object.fromEntries(['machine', ...groups].map(who => [who, (after[who] - before[who]) / seconds]));
      const others = groups.reduce((rest, who) => rest - cores[who], cores.machine);
      return { ...cores, others };
    },
  };
}

/** @param {number} pid @returns {number} resident bytes; NaN if the process has ended */
export function residentBytes(pid) {
  return kibIn(`/proc/${pid}/status`, 'VmRSS') * KIB;
}

/** Caches of the kernel that hold a TCP socket and its places in epoll; `filp` is the open file. */
const SOCKET_CACHES = ['TCP', 'sock_inode_cache', 'filp', 'eventpoll_epi', 'eventpoll_pwq'];

/** @returns {number} bytes of the kernel for all sockets, without buffers; NaN without the right to read them */
export function socketBytes() {
  try {
    const caches = readFileSync('/proc/slabinfo', 'latin1')
      .split('\n')
      .map(line => line.split(/ +/));
    return caches
      .filter(([name]) => SOCKET_CACHES.includes(name))
      .reduce((sum, [, , objects, size]) => sum + Number(objects) * Number(size), 0);
  } catch {
    return Number.NaN;
  }
}

/** @returns {number} bytes that could still be used without swapping; NaN without /proc */
export function availableBytes() {
  return kibIn('/proc/meminfo', 'MemAvailable') * KIB;
}

function kibIn(file, name) {
  try {
    return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(file, 'latin1'))?.[1] ?? Number.NaN);
  } catch {
    return Number.NaN;
  }
}
