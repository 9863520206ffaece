/** What clients tell services: one log per namespace of rooms, consumed by groups (docs/decisions/0004). */
import type { ClientEvent } from '@hubbub/protocol';

export interface EventAppend {
  readonly namespace: string;
  readonly event: ClientEvent;
  /** A repeated key within `IDEMPOTENCY_WINDOW_MS` changes nothing. Unset: nothing is remembered. */
  readonly idempotencyKey?: string;
  /** Events that may wait for services; one more is refused, because dropping the oldest would lose it silently. */
  readonly maxLength: number;
  /** A log is forgotten so long after its last event and its last reader. */
  readonly ttlMs: number;
}

export interface EventAppended {
  /** Names the event in its log; later ones are greater. */
  readonly entryId: string;
  /** The key was known: this is the first one's id, and nothing was added. */
  readonly repeated: boolean;
}

export interface EventEntry {
  readonly entryId: string;
  readonly event: ClientEvent;
  /** How often it was given out, this time included. */
  readonly attempt: number;
}

/**
 * The logs of client events.
 *
 * Guarantees, tried by `test/event-log-conformance.ts` on every implementation:
 * - **Order.** Entries of a log are in the order in which they were appended; those of one appender in the order of its calls.
 * - **Nothing dropped.** An entry stays until every group has acknowledged or buried it. A full log refuses.
 * - **Once in.** A retry with the same idempotency key never doubles an event.
 */
export interface EventLog {
  /** @throws {HubbubError} `UNAVAILABLE`: the bus does not answer, or as many events as may be wait for services. */
  append(append: EventAppend): Promise<EventAppended>;

  /** A group's place in a log. It begins with the oldest event that is there. */
  group(namespace: string, group: string): EventGroup;
}

/**
 * One group of consumers of one log, as one of its consumers sees it. Only the consumer that holds the lease reads: so
 * that events of a room are handled in order, however many instances of a service run.
 *
 * Guarantees:
 * - **One at a time.** At most one consumer of a group holds the lease; who lost it cannot acknowledge any more.
 * - **At least once.** Who takes the lease over first gets, in order, what was given out and not acknowledged.
 */
export interface EventGroup {
  /**
   * Takes the lease, or renews it. Renewed every third of `leaseMs`, it is kept.
   * @returns whether this consumer holds it now
   * @throws {HubbubError} `UNAVAILABLE`
   */
  hold(consumer: string, leaseMs: number): Promise<boolean>;

  /** Gives the lease up, so that another need not wait for its end. Never rejects. */
  release(consumer: string): Promise<void>;

  /**
   * The next entries: at first those that were given out and not acknowledged, then new ones. Waits at most `waitMs` for one.
   * @throws {HubbubError} `UNAVAILABLE`; `FORBIDDEN` when the lease is lost.
   */
  read(consumer: string, options: { readonly limit: number; readonly waitMs: number }): Promise<readonly EventEntry[]>;

  /** Counts one more attempt at an entry that this consumer has. @throws as `read` */
  retry(consumer: string, entryId: string): Promise<number>;

  /** The entries are done. @throws as `read` */
  acknowledge(consumer: string, entryIds: readonly string[]): Promise<void>;

  /** The entry is given up: it goes to the dead letters of the group, with the reason, and is done. @throws as `read` */
  bury(consumer: string, entryId: string, reason: string): Promise<void>;

  /** Dead letters, oldest first. @throws {HubbubError} `UNAVAILABLE` */
  deadLetters(limit: number): Promise<readonly DeadLetter[]>;
}

export interface DeadLetter extends EventEntry {
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly buriedAtMs: number;
}
