/** A consumer group of client events on Redis: every step is one script that checks the lease first. */
import { HubbubError } from '@hubbub/protocol';
import { readDeadLetter } from '../dead-letter-fields.js';
import { fieldMap, parseEventFields } from '../event-fields.js';
import {
  DEAD_LETTER_REASON_MAX,
  DEAD_LETTERS_MAX,
  DEFAULT_EVENTS_TTL_MS,
  type DeadLetter,
  EVENT_READ_LIMIT_MAX,
  type EventEntry,
  type EventGroup,
  MALFORMED,
  ONLY_GROUP,
  TRIM_EVERY_ACKNOWLEDGED,
} from '../event-log.js';
import { type EventKeys, eventKeys } from './event-keys.js';
import { RedisScript, type ScriptArgument } from './redis-script.js';
import { StreamBell } from './stream-bell.js';
import type { RedisTopology } from './topology.js';
import { orOutcomeUnknown, orUnavailable } from './unavailable.js';

const holdScript = new RedisScript(
  new URL('../../lua/event-trim.lua', import.meta.url),
  new URL('../../lua/event-hold.lua', import.meta.url),
);
const releaseScript = new RedisScript(new URL('../../lua/event-release.lua', import.meta.url));
const readScript = new RedisScript(new URL('../../lua/event-read.lua', import.meta.url));
const acknowledgeScript = new RedisScript(
  new URL('../../lua/event-trim.lua', import.meta.url),
  new URL('../../lua/event-acknowledge.lua', import.meta.url),
);
const retryScript = new RedisScript(new URL('../../lua/event-retry.lua', import.meta.url));
const replayScript = new RedisScript(new URL('../../lua/event-replay.lua', import.meta.url));
const deadLetterScript = new RedisScript(new URL('../../lua/event-dead-letter.lua', import.meta.url));

/** Lua cannot pass on more in one call. */
const ACKNOWLEDGED_AT_ONCE = 1000;
/** A script holds up everybody: a takeover with much to give out takes several. */
const READ_AT_ONCE = 128;
/** Before every entry. */
const LOG_START = '0-0';

export interface RedisEventGroupOptions {
  readonly redis: RedisTopology;
  readonly prefix: string;
  readonly namespace: string;
  readonly group: string;
}

interface Tenure {
  /** The last entry that the consumer has: a read whose answer was lost returns the same again. */
  position: string;
}

export class RedisEventGroup implements EventGroup {
  readonly #redis: RedisTopology;
  readonly #keys: EventKeys;
  readonly #group: string;
  readonly #bell: StreamBell;
  /** Consumers that held the lease at their last call. */
  readonly #tenures = new Map<string, Tenure>();
  #acknowledged = 0;

  constructor(options: RedisEventGroupOptions) {
    this.#redis = options.redis;
    this.#keys = eventKeys(options.prefix, options.namespace);
    this.#group = options.group;
    this.#bell = new StreamBell(options.redis, this.#keys.log);
  }

  async hold(consumer: string, leaseMs: number): Promise<boolean> {
    const { log, ttl, lease, dead } = this.#keys;
    const keys = [log, ttl, lease(this.#group), dead(this.#group)];
    const renews = this.#tenures.has(consumer) ? 1 : 0;
    const acknowledged = this.#acknowledged;
    const args = [Math.ceil(leaseMs), renews, DEFAULT_EVENTS_TTL_MS, acknowledged > 0 ? 1 : 0];
    if ((await this.#run(holdScript, keys, consumer, args)) !== 1) {
      this.#tenures.delete(consumer);
      return false;
    }
    this.#acknowledged = Math.max(0, this.#acknowledged - acknowledged);
    if (renews === 0) this.#tenures.set(consumer, { position: LOG_START });
    return true;
  }

  async release(consumer: string): Promise<void> {
    this.#tenures.delete(consumer);
    this.#bell.close();
    const lease = this.#keys.lease(this.#group);
    // A Redis that is away ends the lease by itself.
    await releaseScript.run(this.#redis, [lease], [consumer]).catch(() => {});
  }

  async read(consumer: string, { limit, waitMs }: { limit: number; waitMs: number }): Promise<readonly EventEntry[]> {
    if (!(limit >= 1 && limit <= EVENT_READ_LIMIT_MAX)) throw new RangeError(`limit: 1 to ${EVENT_READ_LIMIT_MAX}`);
    const deadline = performance.now() + waitMs;
    for (;;) {
      const tenure = this.#tenure(consumer);
      const { state, newestId, found } = await this.#next(consumer, tenure.position, limit);
      const last = found.at(-1);
      if (last !== undefined) {
        const entries = await this.#parse(consumer, found);
        tenure.position = last.entryId;
        if (entries.length > 0) return entries;
      } else if (state === 'ok') {
        const leftMs = deadline - performance.now();
        if (leftMs <= 0) return [];
        await this.#bell.ringsAfter(newestId, leftMs);
      }
    }
  }

  async retry(consumer: string, entryId: string): Promise<number> {
    const keys = [this.#keys.log, this.#keys.lease(this.#group)];
    this.#tenure(consumer);
    const attempts = await this.#run(retryScript, keys, consumer, [entryId]);
    return Number(attempts) || this.#lost(consumer);
  }

  async acknowledge(consumer: string, entryIds: readonly string[]): Promise<void> {
    const keys = [this.#keys.log, this.#keys.lease(this.#group)];
    this.#tenure(consumer);
    for (let i = 0; i < entryIds.length; i += ACKNOWLEDGED_AT_ONCE) {
      const some = entryIds.slice(i, i + ACKNOWLEDGED_AT_ONCE);
      const trims = this.#acknowledged + some.length >= TRIM_EVERY_ACKNOWLEDGED ? 1 : 0;
      // Counted before the answer: simultaneous calls must not all trim.
      this.#acknowledged = trims === 1 ? 0 : this.#acknowledged + some.length;
      if ((await this.#run(acknowledgeScript, keys, consumer, [trims, ...some])) !== 1) this.#lost(consumer);
    }
  }

  async deadLetter(consumer: string, entryId: string, reason: string): Promise<void> {
    const { log, ttl, lease, dead } = this.#keys;
    const keys = [log, ttl, lease(this.#group), dead(this.#group)];
    this.#tenure(consumer);
    const args = [entryId, reason.slice(0, DEAD_LETTER_REASON_MAX), DEAD_LETTERS_MAX, DEFAULT_EVENTS_TTL_MS];
    if ((await this.#run(deadLetterScript, keys, consumer, args)) !== 1) this.#lost(consumer);
    this.#acknowledged++;
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    const key = this.#keys.dead(this.#group);
    const found = await orUnavailable(() =>
      this.#redis.run(key, server => server.xrange(key, '-', '+', 'COUNT', Math.max(1, limit))),
    );
    return found.map(([letterId, texts]) =>
      readDeadLetter(letterId, texts, fields => parseEventFields(fieldMap(fields))),
    );
  }

  async replay(letterId: string): Promise<string | undefined> {
    const { log, ttl, dead } = this.#keys;
    const keys = [log, dead(this.#group), ttl];
    const args = [letterId, this.#group, DEFAULT_EVENTS_TTL_MS];
    const entryId = await orOutcomeUnknown(() => replayScript.run(this.#redis, keys, args));
    return typeof entryId === 'string' ? entryId : undefined;
  }

  async #next(consumer: string, position: string, limit: number): Promise<Answer> {
    const keys = [this.#keys.log, this.#keys.ttl, this.#keys.lease(this.#group)];
    const args = [position, Math.min(limit, READ_AT_ONCE), DEFAULT_EVENTS_TTL_MS];
    const reply = await this.#run(readScript, keys, consumer, args);
    const [state, newestId, ...rows] = reply as [string, string, ...[string, string[], number][]];
    if (state === 'lost') this.#lost(consumer);
    return { state, newestId, found: rows.map(([entryId, texts, attempt]) => ({ entryId, texts, attempt })) };
  }

  /** A malformed event of another program must not stop the group: it becomes a dead letter. */
  async #parse(consumer: string, found: Answer['found']): Promise<readonly EventEntry[]> {
    const entries: EventEntry[] = [];
    for (const { entryId, texts, attempt } of found) {
      const fields = fieldMap(texts);
      if ((fields.get(ONLY_GROUP) ?? this.#group) !== this.#group) {
        await this.acknowledge(consumer, [entryId]);
        continue;
      }
      const event = parseEventFields(fields);
      if (event === undefined) await this.deadLetter(consumer, entryId, MALFORMED);
      else entries.push({ entryId, event, attempt });
    }
    return entries;
  }

  /** Every script begins with the consumer and the group. */
  #run(
    script: RedisScript,
    keys: readonly string[],
    consumer: string,
    args: readonly ScriptArgument[],
  ): Promise<unknown> {
    return orUnavailable(() => script.run(this.#redis, keys, [consumer, this.#group, ...args]));
  }

  /** A consumer that lost the lease, or never had it, needs no call to Redis. */
  #tenure(consumer: string): Tenure {
    return this.#tenures.get(consumer) ?? this.#lost(consumer);
  }

  #lost(consumer: string): never {
    this.#tenures.delete(consumer);
    throw new HubbubError('FORBIDDEN', 'This consumer does not hold the lease of its group, or not this entry.');
  }
}

interface Answer {
  /** `again`: read again immediately. */
  readonly state: string;
  /** Where to wait from when nothing was found. */
  readonly newestId: string;
  readonly found: readonly { readonly entryId: string; readonly texts: readonly string[]; readonly attempt: number }[];
}
