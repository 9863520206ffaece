/** Logs of client events within one process, under the same guarantees as on Redis. */
import { HubbubError } from '@hubbub/protocol';
import { eventFields } from '../event-fields.js';
import type { EventAppend, EventAppended, EventBacklog, EventGroup, EventLog } from '../event-log.js';
import { DEFAULT_EVENTS_TTL_MS } from '../event-log.js';
import { IDEMPOTENCY_WINDOW_MS } from '../history.js';
import { MemoryEventGroup } from './memory-event-group.js';
import { MemoryEventStream } from './memory-event-stream.js';

/** From half of what may wait on, as on Redis. */
const TRIM_EVERY = 64;
const SWEEP_INTERVAL_MS = 10_000;

export class MemoryEventLog implements EventLog {
  readonly #streams = new Map<string, MemoryEventStream>();
  /** Ids continue after a restart and after a log expired: an id never names two events. */
  #firstSequence = Date.now();
  #sweptAtMs = Date.now();

  async append({ namespace, event, idempotencyKey, maxLength, ttlMs }: EventAppend): Promise<EventAppended> {
    const stream = this.#open(namespace);
    const known = idempotencyKey === undefined ? undefined : stream.answers.get(idempotencyKey);
    if (known !== undefined && known.expiresAtMs > Date.now()) {
      return { entryId: known.entryId, repeated: true, length: stream.length };
    }
    const { length } = stream;
    if (length >= maxLength || (length >= maxLength / 2 && length % TRIM_EVERY === 0)) stream.trim();
    if (stream.length >= maxLength) {
      throw new HubbubError('UNAVAILABLE', 'Services are behind: too many events wait for them.');
    }
    stream.ttlMs = ttlMs;
    stream.touch();
    const entryId = stream.push(eventFields(event));
    if (idempotencyKey !== undefined) {
      stream.answers.set(idempotencyKey, { entryId, expiresAtMs: Date.now() + IDEMPOTENCY_WINDOW_MS });
    }
    return { entryId, repeated: false, length: stream.length };
  }

  async backlog(namespace: string): Promise<EventBacklog> {
    return this.#open(namespace).backlog();
  }

  group(namespace: string, group: string): EventGroup {
    return new MemoryEventGroup(() => this.#open(namespace), group);
  }

  /** The namespace's stream, a new one when it has expired. */
  #open(namespace: string): MemoryEventStream {
    this.#sweep();
    let stream = this.#streams.get(namespace);
    if (stream !== undefined && stream.expiresAtMs > Date.now()) return stream;
    this.#firstSequence = Math.max(this.#firstSequence, Date.now(), stream?.nextSequence ?? 0);
    stream = new MemoryEventStream(this.#firstSequence, DEFAULT_EVENTS_TTL_MS);
    this.#streams.set(namespace, stream);
    return stream;
  }

  /** Forgets expired logs from time to time: an abandoned namespace is not queried again. */
  #sweep(): void {
    const now = Date.now();
    if (now - this.#sweptAtMs < SWEEP_INTERVAL_MS) return;
    this.#sweptAtMs = now;
    for (const [namespace, stream] of this.#streams) {
      for (const [key, { expiresAtMs }] of stream.answers) if (expiresAtMs <= now) stream.answers.delete(key);
      if (stream.expiresAtMs > now) continue;
      this.#firstSequence = Math.max(this.#firstSequence, stream.nextSequence);
      this.#streams.delete(namespace);
    }
  }
}
