/** A consumer group of client events within one process. */
import { HubbubError } from '@hubbub/protocol';
import { eventFields, fieldMap, parseEventFields } from '../event-fields.js';
import {
  DEAD_LETTER_REASON_MAX,
  type DeadLetter,
  EVENT_READ_LIMIT_MAX,
  type EventEntry,
  type EventGroup,
  ONLY_GROUP,
  TRIM_EVERY_ACKNOWLEDGED,
} from '../event-log.js';
import { entryIdOf, type MemoryEventStream, type MemoryGroupState, sequenceOf } from './memory-event-stream.js';

interface Tenure {
  /** Everything up to it was given to this consumer. */
  position: number;
  readonly ended: AbortController;
}

export class MemoryEventGroup implements EventGroup {
  readonly #stream: () => MemoryEventStream;
  readonly #group: string;
  readonly #tenures = new Map<string, Tenure>();
  #acknowledged = 0;

  constructor(stream: () => MemoryEventStream, group: string) {
    this.#stream = stream;
    this.#group = group;
  }

  async hold(consumer: string, leaseMs: number): Promise<boolean> {
    const stream = this.#stream();
    const group = stream.group(this.#group);
    const holder = holderOf(group);
    const renews = this.#tenures.has(consumer);
    if (holder === undefined ? renews : holder !== consumer) {
      this.#endTenure(consumer);
      return false;
    }
    group.lease = { consumer, untilMs: Date.now() + leaseMs };
    stream.touch();
    if (!renews) this.#tenures.set(consumer, { position: 0, ended: new AbortController() });
    this.#trim(stream, 1);
    return true;
  }

  async release(consumer: string): Promise<void> {
    this.#endTenure(consumer);
    const group = this.#stream().find(this.#group);
    if (group?.lease?.consumer === consumer) group.lease = undefined;
  }

  async read(consumer: string, { limit, waitMs }: { limit: number; waitMs: number }): Promise<readonly EventEntry[]> {
    if (!(limit >= 1 && limit <= EVENT_READ_LIMIT_MAX)) throw new RangeError(`limit: 1 to ${EVENT_READ_LIMIT_MAX}`);
    const deadline = performance.now() + waitMs;
    for (;;) {
      const { stream, group, tenure } = this.#held(consumer);
      const entries = giveOut(stream, { name: this.#group, group }, tenure.position, limit);
      const last = entries.at(-1);
      const leftMs = deadline - performance.now();
      if (last !== undefined) tenure.position = sequenceOf(last.entryId);
      if (last !== undefined || leftMs <= 0) return entries;
      await stream.rings(leftMs, tenure.ended.signal);
    }
  }

  async retry(consumer: string, entryId: string): Promise<number> {
    const { group } = this.#held(consumer);
    const before = group.pending.get(sequenceOf(entryId));
    if (before === undefined) return this.#lost(consumer);
    group.pending.set(sequenceOf(entryId), before + 1);
    return before + 1;
  }

  async acknowledge(consumer: string, entryIds: readonly string[]): Promise<void> {
    const { stream, group } = this.#held(consumer);
    for (const entryId of entryIds) group.pending.delete(sequenceOf(entryId));
    this.#acknowledged += entryIds.length;
    this.#trim(stream, TRIM_EVERY_ACKNOWLEDGED);
  }

  async deadLetter(consumer: string, entryId: string, reason: string): Promise<void> {
    const { stream, group } = this.#held(consumer);
    const sequence = sequenceOf(entryId);
    const attempt = group.pending.get(sequence);
    this.#acknowledged++;
    if (attempt === undefined) return;
    const event = parseEventFields(fieldMap(stream.fieldsOf(sequence) ?? []));
    const letterId = `${stream.nextLetterNumber()}-0`;
    const letter = {
      letterId,
      entryId,
      attempt,
      reason: reason.slice(0, DEAD_LETTER_REASON_MAX),
      buriedAtMs: Date.now(),
    };
    stream.deadLetter(group, event === undefined ? letter : { ...letter, event });
    group.pending.delete(sequence);
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    return this.#stream().find(this.#group)?.dead.slice(0, limit) ?? [];
  }

  async replay(letterId: string): Promise<string | undefined> {
    const stream = this.#stream();
    const dead = stream.find(this.#group)?.dead ?? [];
    const at = dead.findIndex(letter => letter.letterId === letterId);
    const event = dead[at]?.event;
    if (event === undefined) return undefined;
    dead.splice(at, 1);
    stream.touch();
    return stream.push([ONLY_GROUP, this.#group, ...eventFields(event)]);
  }

  #trim(stream: MemoryEventStream, atLeast: number): void {
    if (this.#acknowledged < atLeast) return;
    this.#acknowledged = 0;
    stream.trim();
  }

  #held(consumer: string): { stream: MemoryEventStream; group: MemoryGroupState; tenure: Tenure } {
    const stream = this.#stream();
    const group = stream.find(this.#group);
    const tenure = this.#tenures.get(consumer);
    if (group === undefined || tenure === undefined || holderOf(group) !== consumer) return this.#lost(consumer);
    return { stream, group, tenure };
  }

  #lost(consumer: string): never {
    this.#endTenure(consumer);
    throw new HubbubError('FORBIDDEN', 'This consumer does not hold the lease of its group, or not this entry.');
  }

  #endTenure(consumer: string): void {
    this.#tenures.get(consumer)?.ended.abort();
    this.#tenures.delete(consumer);
  }
}

function holderOf({ lease }: MemoryGroupState): string | undefined {
  return lease !== undefined && lease.untilMs > Date.now() ? lease.consumer : undefined;
}

/** Entries after the position: first unacknowledged ones, then new ones. */
function giveOut(
  stream: MemoryEventStream,
  { name, group }: { readonly name: string; readonly group: MemoryGroupState },
  position: number,
  limit: number,
): EventEntry[] {
  const entries: EventEntry[] = [];
  const give = (sequence: number, attempt: number): void => {
    const fields = fieldMap(stream.fieldsOf(sequence) ?? []);
    if ((fields.get(ONLY_GROUP) ?? name) !== name) return;
    const event = parseEventFields(fields);
    // A later try is counted when it begins, by `retry`.
    if (attempt === 1) group.pending.set(sequence, attempt);
    if (event !== undefined) entries.push({ entryId: entryIdOf(sequence), event, attempt });
  };
  for (const [sequence, attempts] of group.pending) {
    if (entries.length >= limit) return entries;
    if (sequence > position) give(sequence, attempts + 1);
  }
  while (entries.length < limit && group.next < stream.nextSequence) give(group.next++, 1);
  return entries;
}
