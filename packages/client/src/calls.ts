/** Limits of one call, a signal and a timeout, and the limit of every timer. */
import type { HubbubError } from '@hubbub/protocol';

export interface CallOptions {
  /**
   * Gives the call up when it aborts: the promise rejects with the signal's `reason`. A frame that waits is then not sent; one
   * that was sent may still be executed.
   */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which the call is given up, those without a connection included. Default: no limit. */
  readonly timeoutMs?: number | undefined;
}

/** setTimeout takes 32 bits; above, it fires immediately, which would turn a long delay into a storm. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Whether a timer can wait for that long. */
export function isTimerMs(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_TIMER_MS;
}

export function noAnswerWithin(ms: number | undefined): string {
  return `no answer within ${ms} ms`;
}

/** Ends a call at its limits, by `giveUp`, which returns the error of a call that took too long. */
export function limitCall<Value>(
  { signal, timeoutMs }: CallOptions,
  call: () => Promise<Value>,
  giveUp: (why: string) => HubbubError,
): Promise<Value> {
  if (!signal && timeoutMs === undefined) return call();
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const end = (reason?: unknown): void => {
      const error = giveUp(noAnswerWithin(timeoutMs));
      reject(reason ?? error);
    };
    const abort = (): void => end(signal?.reason);
    const timer = setTimeout(end, Math.min(timeoutMs ?? MAX_TIMER_MS, MAX_TIMER_MS));
    signal?.addEventListener('abort', abort);
    const stop = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    call().finally(stop).then(resolve, reject);
  });
}
