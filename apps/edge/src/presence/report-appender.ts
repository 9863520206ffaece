/** Appends reports to the log, and repeats an append until its outcome is known: the log takes each number once. */
import type { AppendResult, LogAppend, ReportLog } from '@hubbub/broker';
import { type Logger, occasionally } from '@hubbub/runtime';
import { type HeldLease, RETRY_MAX_MS } from './held-lease.js';

export interface ReportAppenderOptions {
  readonly log: ReportLog;
  readonly lease: HeldLease;
  readonly logger: Logger;
  /** Called after each attempt without an answer. */
  onUnanswered(): void;
  /** May end early, as when the edge closes. */
  pause(ms: number): Promise<void>;
}

export interface Appended {
  readonly results: readonly AppendResult[];
  /** The outcome of an earlier attempt is unknown. */
  readonly isRepeated: boolean;
}

const UNANSWERED_LOG_MS = 5000;

export class ReportAppender {
  readonly #options: ReportAppenderOptions;
  readonly #warn: (error: unknown) => void;
  #appends = 0;

  constructor(options: ReportAppenderOptions) {
    this.#options = options;
    this.#warn = occasionally(UNANSWERED_LOG_MS, (suppressed, error: unknown) =>
      options.logger.warn(
        { event: 'reports_unanswered', err: error, suppressed },
        'the report log did not answer; the append is repeated',
      ),
    );
  }

  /**
   * Resolves when the log has answered; with `undefined` if the incarnation ended before.
   * @param isCurrent whether the incarnation still reports
   */
  async append(
    entries: readonly LogAppend[],
    incarnation: string,
    isCurrent: () => boolean,
  ): Promise<Appended | undefined> {
    const { log, onUnanswered, pause } = this.#options;
    const number = { appender: incarnation, number: ++this.#appends };
    for (let isRepeated = false; isCurrent(); isRepeated = true) {
      try {
        if (isRepeated) await this.#assertLease();
        return { results: await log.append(entries, number), isRepeated };
      } catch (error) {
        if (!isCurrent()) return undefined;
        this.#warn(error);
        onUnanswered();
        await pause(RETRY_MAX_MS * (0.5 + Math.random() / 2));
      }
    }
    return undefined;
  }

  /** A lease that ran out between two attempts may have ended the incarnation. */
  async #assertLease(): Promise<void> {
    const { lease } = this.#options;
    if (!lease.isFresh && !(await lease.renew())) throw new Error('The lease of this edge could not be renewed.');
  }
}
