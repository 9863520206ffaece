/** The checks of doctor, one result each. */
import { ConfigError } from '@hubbub/config';

export type Verdict = 'ok' | 'warn' | 'fail';

export interface Check {
  /** The subject of the check, such as `open files`. */
  readonly name: string;
  readonly verdict: Verdict;
  readonly found: string;
  /** The suggested change; the exact command where there is one. Only with `warn` and `fail`. */
  readonly change?: string;
}

export function ok(name: string, found: string): Check {
  return { name, verdict: 'ok', found };
}

export function warn(name: string, found: string, change: string): Check {
  return { name, verdict: 'warn', found, change };
}

export function fail(name: string, found: string, change: string): Check {
  return { name, verdict: 'fail', found, change };
}

/** On one line. */
export function messageOf(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** Of durations. `share` 0.5 is the median. @example percentile([3, 1, 2], 0.5) === 2 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

export function inMs(durationMs: number): string {
  return `${durationMs.toFixed(durationMs < 10 ? 2 : 0)} ms`;
}
