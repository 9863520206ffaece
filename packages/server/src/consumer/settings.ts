/** The options of a consumer, checked, with their defaults; what the service hears of cannot hurt the consumer. */
import { HubbubError } from '@hubbub/protocol';
import { wholeNumber } from '../checks.js';
import type { ConsumerOptions, Entry } from './source.js';

export interface ConsumerSettings<Of extends Entry> {
  readonly maxAttempts: number;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly retryDelayMs: number;
  readonly handlerTimeoutMs: number;
  /** Never throws. */
  readonly onError: (error: unknown, entry?: Of) => void;
  /** Never throws. */
  readonly onDeadLetter: (entry: Of, error: unknown) => void;
}

/** @throws {HubbubError} `INVALID_FORMAT`, naming the option. */
export function consumerSettings<Of extends Entry>(options: ConsumerOptions<Of>): ConsumerSettings<Of> {
  return {
    maxAttempts: wholeNumber('maxAttempts', options.maxAttempts ?? 5, 2, 100),
    concurrency: wholeNumber('concurrency', options.concurrency ?? 64, 1, 1000),
    leaseMs: wholeNumber('leaseMs', options.leaseMs ?? 5000, 1000, 60_000),
    retryDelayMs: wholeNumber('retryDelayMs', options.retryDelayMs ?? 100, 1, 60_000),
    handlerTimeoutMs: wholeNumber('handlerTimeoutMs', options.handlerTimeoutMs ?? 60_000, 100, 3_600_000),
    onError: listener('onError', options.onError ?? (() => {})),
    onDeadLetter: listener('onDeadLetter', options.onDeadLetter ?? warn),
  };
}

/** A listener that throws, or rejects, would end the consumer or the process: it is a warning instead. */
function listener<Args extends unknown[]>(name: string, listen: (...args: Args) => unknown): (...args: Args) => void {
  if (typeof listen !== 'function') throw new HubbubError('INVALID_FORMAT', `${name}: expected a function`);
  return (...args) => {
    void (async () => listen(...args))().catch(error => process.emitWarning(`${name} failed: ${String(error)}`));
  };
}

function warn(entry: Entry, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  process.emitWarning(
    `An event was given up and moved to the dead letters: ${entry.entryId} (${reason})`,
    'HubbubWarning',
  );
}
