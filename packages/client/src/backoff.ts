/** How long to wait before the next attempt: exponential backoff with full jitter. */

export interface BackoffPolicy {
  /** Milliseconds: upper bound of the first delay. */
  readonly baseDelayMs: number;
  /** Milliseconds: upper bound of every delay. */
  readonly maxDelayMs: number;
}

/**
 * A random delay between 0 and min(`maxDelayMs`, `baseDelayMs` · 2^`attempt`), in milliseconds; attempts count from 0.
 *
 * "Full jitter" of the AWS article "Exponential Backoff And Jitter". Of its variants, this one spreads a crowd of clients
 * best: they do not all reconnect within a second after a deploy.
 */
export function fullJitterMs(attempt: number, policy: BackoffPolicy): number {
  // 2^1024 is Infinity, which Math.min takes.
  return Math.random() * Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** attempt);
}
