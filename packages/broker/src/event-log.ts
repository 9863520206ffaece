/** Client events for services: one log per namespace of rooms, consumed by groups (docs/decisions/0004). */
import type { ClientEvent } from '@hubbub/protocol';
import type { ConsumerGroup } from './consumer-group.js';

export interface EventAppend {
  readonly namespace: string;
  readonly event: ClientEvent;
  /** A repeated key within `IDEMPOTENCY_WINDOW_MS` changes nothing. Unset: nothing is remembered. */
  readonly idempotencyKey?: string;
  /** Events that may wait for services; one more is refused, because dropping the oldest would lose it silently. */
  readonly maxLength: number;
  /** Time to live of a log after its last event and its last reader. */
  readonly ttlMs: number;
}

export interface EventAppended {
  /** Names the event in its log; later ones are greater. */
  readonly entryId: string;
  /** The key was known: this is the first one's id, and nothing was added. */
  readonly repeated: boolean;
  /** Events in the log, this one included; some of them may be done already and go with the next trim. */
  readonly length: number;
}

export interface EventEntry {
  readonly entryId: string;
  readonly event: ClientEvent;
  /** The number of the next attempt: 1 for a new entry, which counts as begun; a later one counts at `retry`. */
  readonly attempt: number;
}

/**
 * The logs of client events.
 *
 * Guarantees, tested by `test/event-log-conformance.ts` on every implementation:
 * - **Order.** Entries of a log are in the order in which they were appended; those of one appender in the order of its calls.
 * - **Nothing dropped.** An entry stays until every group has acknowledged or dead-lettered it, and while there is no group. A full
 *   log refuses; an abandoned group fills it, until an operator removes the group (docs/decisions/0004).
 * - **Once in.** A retry with the same idempotency key never doubles an event.
 */
export interface EventLog {
  /** @throws {HubbubError} `UNAVAILABLE`: not appended, as where too many events wait for services; `OUTCOME_UNKNOWN`. */
  append(append: EventAppend): Promise<EventAppended>;

  /** The events that wait for services, for metrics. @throws {HubbubError} `UNAVAILABLE` */
  backlog(namespace: string): Promise<EventBacklog>;

  /** A group's place in a log. It begins with the oldest event that is there. */
  group(namespace: string, group: string): EventGroup;
}

/** A group's place in a log of client events. */
export interface EventGroup extends ConsumerGroup<EventEntry> {
  /** Dead letters, oldest first. @throws {HubbubError} `UNAVAILABLE` */
  deadLetters(limit: number): Promise<readonly DeadLetter[]>;
  /**
   * Appends the event of a dead letter again, for this group alone, with new attempts, and removes the letter: in one step.
   * Returns the new entry's id; `undefined` when there is no such letter, or when it holds no event.
   * @throws {HubbubError} `UNAVAILABLE`, `OUTCOME_UNKNOWN`
   */
  replay(letterId: string): Promise<string | undefined>;
}

export interface DeadLetter<Event = ClientEvent> {
  /** Names the letter among those of its group. */
  readonly letterId: string;
  readonly entryId: string;
  /** Absent if another program wrote a malformed event (reason {@link MALFORMED}); its fields are kept unchanged. */
  readonly event?: Event;
  /** How often it was tried. */
  readonly attempt: number;
  /** At most {@link DEAD_LETTER_REASON_MAX} characters. */
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly buriedAtMs: number;
}

export interface EventBacklog {
  /** Events in the log; above `maxLength` no more are taken. Those that all groups are done with go in batches. */
  readonly length: number;
  readonly groups: readonly {
    readonly group: string;
    /** Not acknowledged: not given out yet, or given out. */
    readonly waiting: number;
  }[];
}

/** Field of a replayed event: the only group that handles it; others pass over it. */
export const ONLY_GROUP = 'only_group';
/** The reason of a dead letter that another program wrote and that is not an event. */
export const MALFORMED = 'malformed';
export const DEAD_LETTER_REASON_MAX = 1000;
/** Dead letters of one group; the oldest give way. */
export const DEAD_LETTERS_MAX = 10_000;
/** Entries in one answer to `read`. */
export const EVENT_READ_LIMIT_MAX = 1000;
/** The time to live of a log to which a group came before the first event. */
export const DEFAULT_EVENTS_TTL_MS = 86_400_000;
/** Handled entries are trimmed after this many acknowledgements of one consumer, and whenever its lease is renewed. */
export const TRIM_EVERY_ACKNOWLEDGED = 100;
