/** Reads the memory of processes and of the machine from the kernel. Linux only. */
import { readFileSync } from 'node:fs';

const KIB = 1024;

/** @param {number} pid @returns {number} resident bytes */
export function residentBytes(pid) {
  return KIB * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? Number.NaN);
}

/** @returns {number} bytes that could still be used without swapping */
export function availableBytes() {
  return KIB * Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1] ?? Number.NaN);
}
