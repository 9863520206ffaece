/** Why a request was not accepted, and what follows for its events. */
import type { Verdict } from '@hubbub/server/consumer';

/** Results of a request, as the metrics name them. */
export const REQUEST_RESULTS = [
  'delivered',
  'rejected',
  'failed',
  'unreachable',
  'timeout',
  'forbidden_address',
  'canceled',
] as const;
export type RequestResult = (typeof REQUEST_RESULTS)[number];

/** About the content of a request: another attempt would get the same answer. */
const FINAL_STATUSES: ReadonlySet<number> = new Set([400, 413, 422]);

export class DeliveryFailure extends Error {
  override readonly name = 'DeliveryFailure';

  constructor(
    readonly result: Exclude<RequestResult, 'delivered'>,
    message: string,
    readonly verdict: Verdict = {},
  ) {
    super(message);
  }

  /** Of a request with the events of several rooms: any of them may be the cause, so each room is retried by itself. */
  ofSeveral(): DeliveryFailure {
    const { isFinal: _, ...verdict } = this.verdict;
    return new DeliveryFailure(this.result, this.message, verdict);
  }
}

/**
 * The failure that an answer without success is.
 * @param retryAfter the header, in seconds or as a date
 */
export function failureOf(status: number, retryAfter: string | undefined, maxRetryAfterMs: number): DeliveryFailure {
  const message = `the receiver answered ${status}`;
  if (FINAL_STATUSES.has(status)) return new DeliveryFailure('rejected', message, { isFinal: true });
  const retryAfterMs = Math.min(maxRetryAfterMs, delayOf(retryAfter));
  return new DeliveryFailure('failed', message, retryAfterMs > 0 ? { retryAfterMs } : {});
}

/** RFC 9110 section 10.2.3. */
function delayOf(retryAfter: string | undefined): number {
  if (retryAfter === undefined) return 0;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter) * 1000;
  const atMs = Date.parse(retryAfter);
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - Date.now());
}

/** The verdict of whatever a delivery throws. */
export function verdictOf(error: unknown): Verdict {
  return error instanceof DeliveryFailure ? error.verdict : {};
}
