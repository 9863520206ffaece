/** Counts what a session is refused, and closes the one that goes on (PROTOCOL.md section 4). */
import type { HubbubError } from '@hubbub/protocol';
import type { Session } from '../sessions/session.js';
import { LimitExceeded } from './limit-exceeded.js';
import type { LimitMetrics } from './limit-metrics.js';

export interface Refusals {
  /** Counts a frame, or a room of a `resume`, that was refused with this error. */
  count(session: Session, error: HubbubError): void;
}

/** @param now a clock that never goes back */
export function createRefusals(metrics: LimitMetrics, now: () => number = () => performance.now()): Refusals {
  return {
    count(session, error) {
      if (error instanceof LimitExceeded) metrics.exceeded(error.limit);
      // Our own failures are not abuse.
      if (error.code === 'UNAVAILABLE' || error.code === 'OUTCOME_UNKNOWN' || session.closed) return;
      const closeCode = session.allowance?.refused(error.code, now());
      if (closeCode === undefined) return;
      metrics.exceeded('refusals');
      session.socket.end(closeCode, `too many refused frames, the last one with ${error.code}`);
    },
  };
}
