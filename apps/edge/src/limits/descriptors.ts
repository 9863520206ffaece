/** The number of connections for which this process has file descriptors. A process without any spins and does not answer. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ConnectionBounds {
  /** Above it a request is answered 503. */
  readonly served: number;
  /** Above it a new connection is closed immediately. */
  readonly open: number;
}

/** Connections that are refused need a descriptor for their answer: this part of all, and at most so many. */
const SHARE_OF_REFUSED = 0.2;
export const REFUSED_MAX = 1024;

/**
 * Reads the limit of this process (Linux), without what it has open already.
 * @param reserved descriptors for the admin port, Redis and whatever else is opened later
 * @returns `undefined` if the system does not report it
 */
export function readConnectionBounds(reserved: number): ConnectionBounds | undefined {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    if (limit === undefined) return undefined; // Unlimited.
    return boundsOf(Number(limit) - readdirSync('/proc/self/fd').length - reserved);
  } catch {
    return undefined; // No Linux: the operator has to see to it.
  }
}

export function boundsOf(free: number): ConnectionBounds {
  const open = Math.max(2, free);
  return { open, served: open - Math.min(REFUSED_MAX, Math.ceil(open * SHARE_OF_REFUSED)) };
}
