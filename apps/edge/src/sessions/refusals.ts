/** Answers and counts refused frames, and closes a session with too many of them (PROTOCOL.md section 4). */
import { HubbubError } from '@hubbub/protocol';
import type { Request } from '@hubbub/protocol/client-frame';
import { type Logger, occasionally, spanFieldsOf } from '@hubbub/runtime';
import type { Accounts } from '../account/accounts.js';
import type { RefusalLog } from '../admission/refusal-log.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { LimitMetrics } from '../limits/limit-metrics.js';
import type { EdgeMetrics, FrameLabel } from '../metrics.js';
import type { Session } from './session.js';

const DEFECT_LOG_INTERVAL_MS = 1000;
const FAILED = 'Internal error of the edge; its log has the details.';

export interface RefusalParts {
  readonly metrics: Pick<EdgeMetrics, 'frame'>;
  readonly limitMetrics: Pick<LimitMetrics, 'exceeded'>;
  readonly refusalLog: Pick<RefusalLog, 'frame'>;
  readonly accounts: Pick<Accounts, 'frameRefused'>;
  readonly log: Pick<Logger, 'error'>;
  /** A clock that never goes back. */
  readonly now?: () => number;
}

export class Refusals {
  readonly #parts: RefusalParts;
  readonly #logDefect: (type: FrameLabel, error: unknown) => void;

  constructor(parts: RefusalParts) {
    this.#parts = parts;
    this.#logDefect = occasionally(DEFECT_LOG_INTERVAL_MS, (suppressed, type: FrameLabel, error: unknown) =>
      parts.log.error(
        { event: 'frame_failed', type, err: error, suppressed, ...spanFieldsOf(error) },
        'a frame failed because of a defect',
      ),
    );
  }

  /** Answers a frame with its error. After a defect (any error but a {@link HubbubError}) the outcome is unknown. */
  refuse(session: Session, request: Request, label: FrameLabel, error: unknown): void {
    const isDefect = !(error instanceof HubbubError);
    if (isDefect) this.#logDefect(label, error);
    const refusal = isDefect ? new HubbubError('OUTCOME_UNKNOWN', FAILED) : error;
    this.#parts.metrics.frame(label, refusal.code);
    session.refuse(request, refusal);
    this.count(session, label, refusal);
  }

  /** Counts and logs a frame, or a room of a `resume`, that was refused with this error. */
  count(session: Session, label: FrameLabel, error: HubbubError): void {
    const { limitMetrics, refusalLog, accounts, now = () => performance.now() } = this.#parts;
    refusalLog.frame(error, label, session);
    accounts.frameRefused(session, label, error);
    if (error instanceof LimitExceeded) limitMetrics.exceeded(error.limit);
    // Our own failures are not abuse.
    if (error.code === 'UNAVAILABLE' || error.code === 'OUTCOME_UNKNOWN' || session.closed) return;
    const closeCode = session.allowance?.refused(error.code, now());
    if (closeCode === undefined) return;
    limitMetrics.exceeded('refusals');
    session.end(closeCode, `too many refused frames, the last one with ${error.code}`);
  }
}
