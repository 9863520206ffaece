/** What is consumed: entries of a log, of which one consumer of a group at a time gets the next. */
import type { ConsumerGroup } from '@hubbub/broker';

/** What a consumer must know of an entry of any log. */
export interface Entry {
  readonly entryId: string;
  /** Which try of it this is: 1 at first. */
  readonly attempt: number;
}

export type Source<Of extends Entry> = ConsumerGroup<Of>;

export interface ConsumerOptions<Of extends Entry = Entry> {
  /**
   * Tries of an event before it is given up, those that ended with their process included. 2 to 100: a process may end
   * between taking an event and handling it. Default 5.
   */
  readonly maxAttempts?: number;
  /** Events that are handled side by side; those of one room never are. 1 to 1,000. Default 64. */
  readonly concurrency?: number;
  /** Another instance takes over so long after this one died. 1,000 to 60,000 ms. Default 5,000. */
  readonly leaseMs?: number;
  /** Wait before the second try; it doubles with each, up to a hundred times as much. 1 to 60,000 ms. Default 100. */
  readonly retryDelayMs?: number;
  /**
   * A try that takes longer has failed; its `signal` says so. What a handler that ignores it does later stands beside the next
   * try. 100 to 3,600,000 ms. Default 60,000: a handler that never ends would hold up its room for ever.
   */
  readonly handlerTimeoutMs?: number;
  /** Told of what fails: a handler (with the entry), or Redis. Default: ignored, because both are tried again. */
  readonly onError?: (error: unknown, entry?: Of) => void;
  /** Told when an event is given up; it is among the dead letters then. Default: a warning of the process. */
  readonly onDeadLetter?: (entry: Of, error: unknown) => void;
}

export interface Consumer {
  /** Whether this instance is the one of its group that gets events now. */
  readonly leading: boolean;
  /**
   * Takes no further events, waits for handlers that run, and lets another instance take over at once. What waits for its
   * turn or its next try is the other's. Never rejects; calling it again is no error.
   */
  close(): Promise<void>;
}
