/** Limits of one call: a signal and a timeout. */
import { HubbubError } from '@hubbub/protocol';
import { fieldsOf, wholeNumber } from './checks.js';

export interface CallOptions {
  /**
   * Gives the call up when it aborts: the promise rejects with the signal's `reason`. A message that was not sent yet is then
   * not sent; one that was sent may still be published.
   */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds, 1 to 600,000. Default: that of `connectHubbub`, or of `presence` for queries. */
  readonly timeoutMs?: number | undefined;
}

/** @throws {HubbubError} `INVALID_FORMAT` */
export function checkTimeout(timeoutMs: number): number {
  return wholeNumber('timeoutMs', timeoutMs, 1, 600_000);
}

/**
 * Publishes within limits.
 *
 * @param publish calls its argument directly before the message goes out; that throws if the call was given up before
 * @throws {HubbubError} `UNAVAILABLE` after `timeoutMs` if the message did not go out, else `OUTCOME_UNKNOWN`
 */
export async function limitPublish<Result>(
  options: CallOptions,
  publish: (beginSending: () => void) => Promise<Result>,
): Promise<Result> {
  const { signal, timeoutMs } = fieldsOf('options', options);
  if (timeoutMs !== undefined) checkTimeout(timeoutMs);
  signal?.throwIfAborted();
  let isSending = false;
  let givenUp: { readonly reason: unknown } | undefined;
  return await new Promise<Result>((resolve, reject) => {
    const giveUp = (reason: unknown): void => {
      givenUp = { reason };
      reject(reason);
    };
    const abort = (): void => giveUp(signal?.reason);
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => giveUp(late(timeoutMs, isSending)), timeoutMs);
    signal?.addEventListener('abort', abort);
    const beginSending = (): void => {
      if (givenUp) throw givenUp.reason;
      isSending = true;
    };
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    publish(beginSending).finally(end).then(resolve, reject);
  });
}

function late(timeoutMs: number, isSending: boolean): HubbubError {
  return isSending
    ? new HubbubError('OUTCOME_UNKNOWN', `No answer from Redis within ${timeoutMs} ms; perhaps it was published.`)
    : new HubbubError('UNAVAILABLE', `No answer from Redis within ${timeoutMs} ms; it was not published.`);
}
