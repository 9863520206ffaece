/** Durations as people write them on a command line. */
import { InvalidArgumentError } from 'commander';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** The longest wait of a timer in Node. */
const MAX_MS = 2 ** 31 - 1;

/** @example durationMs('10s') === 10_000 */
export function durationMs(text: string): number {
  const [, amount = '', unit = ''] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(amount) * (UNITS_MS[unit] ?? 0);
  if (ms <= 0 || ms > MAX_MS)
    throw new InvalidArgumentError('Expected a duration such as 500ms, 10s, 5m or 1h, at most 24 days');
  return ms;
}
