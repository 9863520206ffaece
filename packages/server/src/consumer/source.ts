/** What is consumed: entries of a log, of which one consumer of a group at a time gets the next. */
import type { ConsumerGroup } from '@hubbub/broker';

/** What a handler must know of an entry of any log. */
export interface Entry {
  readonly entryId: string;
  /** How often it was given out, this time included. */
  readonly attempt: number;
}

export type Source<Of extends Entry> = ConsumerGroup<Of>;

export interface ConsumerOptions {
  /** Tries of an event before it is given up, crashes included. 1 to 100. Default 5. */
  readonly maxAttempts?: number;
  /** Events that are handled side by side; those of one room never are. 1 to 1,000. Default 64. */
  readonly concurrency?: number;
  /** Another instance takes over so long after this one died. 1,000 to 60,000 ms. Default 5,000. */
  readonly leaseMs?: number;
  /** Wait before the second try; it doubles with each, up to a hundred times as much. Default 100 ms. */
  readonly retryDelayMs?: number;
  /** Told of what fails: a handler (with the entry), or Redis. Default: ignored, because both are tried again. */
  readonly onError?: (error: unknown, entry?: Entry) => void;
  /** Told when an event is given up; it is among the dead letters then. */
  readonly onDeadLetter?: (entry: Entry, error: unknown) => void;
}

export interface Consumer {
  /** Whether this instance is the one of its group that gets events now. */
  readonly leading: boolean;
  /** Takes no further events, waits for those that are being handled, and lets another instance take over at once. */
  close(): Promise<void>;
}
