/** A log of entries: one consumer of a group at a time gets the next. */
import type { ConsumerGroup } from '@hubbub/broker';

/** The fields that a consumer needs of an entry of any log. */
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
  /** Time until another instance takes over from one that died. 1,000 to 60,000 ms. Default 5,000. */
  readonly leaseMs?: number;
  /** Wait before the second try; it doubles with each, up to a hundred times as much. 1 to 60,000 ms. Default 100. */
  readonly retryDelayMs?: number;
  /**
   * An attempt that takes longer has failed; its `signal` is aborted then. A handler that ignores the signal may overlap the
   * next attempt. 100 to 3,600,000 ms. Default 60,000: a handler that never ends would block its room forever.
   */
  readonly handlerTimeoutMs?: number;
  /** Called when a handler (with the entry) or Redis fails. Default: ignored, because both are tried again. */
  readonly onError?: (error: unknown, entry?: Of) => void;
  /** Called when an event becomes a dead letter. Default: a warning of the process. */
  readonly onDeadLetter?: (entry: Of, error: unknown) => void;
}

/** Closes at the end of an `await using` block. */
export interface Consumer extends AsyncDisposable {
  /** Whether this instance is the one of its group that gets events now. */
  readonly leading: boolean;
  /**
   * Takes no further events, waits for running handlers, and lets another instance take over immediately. Entries that wait
   * for their turn or next attempt go to that instance. Never rejects; calling it again is allowed.
   */
  close(): Promise<void>;
}
