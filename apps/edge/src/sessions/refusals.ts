/** Answers and counts refused frames, and closes a session with too many of them (PROTOCOL.md section 4). */
import { HubbubError } from '@hubbub/protocol';
import type { Request } from '@hubbub/protocol/client-frame';
import type { Logger } from '@hubbub/runtime';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { LimitMetrics } from '../limits/limit-metrics.js';
import type { EdgeMetrics, FrameLabel } from '../metrics.js';
import type { Session } from './session.js';

const FAILED = 'Internal error of the edge; its log has the details.';

export interface RefusalParts {
  readonly metrics: Pick<EdgeMetrics, 'frame'>;
  readonly limitMetrics: Pick<LimitMetrics, 'exceeded'>;
  readonly log: Logger;
  /** A clock that never goes back. */
  readonly now?: () => number;
}

export class Refusals {
  readonly #parts: RefusalParts;

  constructor(parts: RefusalParts) {
    this.#parts = parts;
  }

  /** Answers a frame with its error. After a defect (any error but a {@link HubbubError}) the outcome is unknown. */
  refuse(session: Session, request: Request, label: FrameLabel, error: unknown): void {
    const { metrics, log } = this.#parts;
    const isDefect = !(error instanceof HubbubError);
    if (isDefect) log.error({ event: 'frame_failed', type: label, err: error }, 'a frame failed');
    const refusal = isDefect ? new HubbubError('OUTCOME_UNKNOWN', FAILED) : error;
    metrics.frame(label, refusal.code);
    session.refuse(request, refusal);
    this.count(session, refusal);
  }

  /** Counts a frame, or a room of a `resume`, that was refused with this error. */
  count(session: Session, error: HubbubError): void {
    const { limitMetrics, now = () => performance.now() } = this.#parts;
    if (error instanceof LimitExceeded) limitMetrics.exceeded(error.limit);
    // Our own failures are not abuse.
    if (error.code === 'UNAVAILABLE' || error.code === 'OUTCOME_UNKNOWN' || session.closed) return;
    const closeCode = session.allowance?.refused(error.code, now());
    if (closeCode === undefined) return;
    limitMetrics.exceeded('refusals');
    session.socket.end(closeCode, `too many refused frames, the last one with ${error.code}`);
  }
}
