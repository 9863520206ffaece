/** The lifecycle streams on Redis, read as one by a group that remembers how far it has come. */
import { HubbubError, readLifecycleFields } from '@hubbub/protocol';
import type { ConsumerGroup } from '../consumer-group.js';
import type { LifecycleEntry, LifecycleLog } from '../lifecycle-log.js';
import { LIFECYCLE_GROUP_TTL_MS } from '../lifecycle-log.js';
import { LifecyclePositions, lifecycleEntryId, parseLifecycleEntryId } from '../lifecycle-positions.js';
import { earlierPosition, LOG_START, laterPosition } from '../report-log.js';
import { RedisScript } from './redis-script.js';
import { newestId, StreamReader } from './stream-reader.js';
import type { RedisTopology } from './topology.js';
import { orUnavailable } from './unavailable.js';

const holdScript = new RedisScript(new URL('../../lua/lifecycle-hold.lua', import.meta.url));
const acknowledgeScript = new RedisScript(new URL('../../lua/lifecycle-acknowledge.lua', import.meta.url));
const releaseScript = new RedisScript(new URL('../../lua/event-release.lua', import.meta.url));

export interface RedisLifecycleLogOptions {
  readonly redis: RedisTopology;
  readonly prefix: string;
  readonly partitions: number;
}

export class RedisLifecycleLog implements LifecycleLog {
  readonly #options: RedisLifecycleLogOptions;
  readonly #groups = new Set<RedisLifecycleGroup>();

  constructor(options: RedisLifecycleLogOptions) {
    this.#options = options;
  }

  group(name: string): ConsumerGroup<LifecycleEntry> {
    const group = new RedisLifecycleGroup(this.#options, name);
    this.#groups.add(group);
    return group;
  }

  /** Ends the connections that wait for events. */
  close(): void {
    for (const group of this.#groups) group.close();
  }
}

interface Tenure {
  readonly consumer: string;
  readonly positions: LifecyclePositions;
  readonly attempts: Map<string, number>;
}

class RedisLifecycleGroup implements ConsumerGroup<LifecycleEntry> {
  readonly #options: RedisLifecycleLogOptions;
  readonly #lease: string;
  readonly #positions: string;
  readonly #reader: StreamReader;
  #tenure: Tenure | undefined;
  /** Of the newest tenure here. A Redis that went back in time may know an earlier place of the group, or none. */
  #reached: LifecyclePositions | undefined;

  constructor(options: RedisLifecycleLogOptions, group: string) {
    this.#options = options;
    this.#reader = new StreamReader(options.redis);
    this.#lease = `${options.prefix}:lifecycle:{${group}}:lease`;
    this.#positions = `${options.prefix}:lifecycle:{${group}}:positions`;
  }

  async hold(consumer: string, leaseMs: number): Promise<boolean> {
    const renews = this.#tenure?.consumer === consumer;
    const args = [consumer, Math.ceil(leaseMs), renews ? 1 : 0, LIFECYCLE_GROUP_TTL_MS];
    const { redis } = this.#options;
    const answer = await orUnavailable(() => holdScript.run(redis, [this.#lease, this.#positions], args));
    if (answer !== 1) {
      if (renews) this.#tenure = undefined;
      return false;
    }
    if (!renews) {
      const tenure = { consumer, positions: new LifecyclePositions(), attempts: new Map<string, number>() };
      await this.#start(tenure);
      this.#tenure = tenure;
      this.#reached = tenure.positions;
    }
    return true;
  }

  close(): void {
    this.#reader.close();
  }

  async release(consumer: string): Promise<void> {
    if (this.#tenure?.consumer === consumer) this.#tenure = undefined;
    this.close();
    // A Redis that is away ends the lease by itself.
    await releaseScript.run(this.#options.redis, [this.#lease], [consumer]).catch(() => {});
  }

  async read(consumer: string, { limit, waitMs }: { limit: number; waitMs: number }): Promise<LifecycleEntry[]> {
    const tenure = this.#tenureOf(consumer);
    const keys = this.#keys();
    const from = new Map(keys.map((key, partition) => [key, tenure.positions.next(partition)]));
    const streams = await this.#reader.read(from, { limit, waitMs: Math.max(1, waitMs) });
    this.#tenureOf(consumer);
    return [...streams].flatMap(([key, entries]) =>
      entries.flatMap(({ id, fields }) => this.#entry(tenure, keys.indexOf(key), id, fields)),
    );
  }

  async retry(consumer: string, entryId: string): Promise<number> {
    const { attempts } = this.#tenureOf(consumer);
    const attempt = (attempts.get(entryId) ?? 1) + 1;
    attempts.set(entryId, attempt);
    return attempt;
  }

  async acknowledge(consumer: string, entryIds: readonly string[]): Promise<void> {
    const tenure = this.#tenureOf(consumer);
    const moved: (string | number)[] = [];
    for (const entryId of entryIds) {
      const [partition, id] = parseLifecycleEntryId(entryId);
      tenure.attempts.delete(entryId);
      const done = tenure.positions.finish(partition, id);
      if (done !== undefined) moved.push(partition, done);
    }
    if (moved.length > 0) await this.#keep(consumer, moved);
  }

  deadLetter(consumer: string, entryId: string): Promise<void> {
    return this.acknowledge(consumer, [entryId]);
  }

  /** Where the group was, as Redis or this process knows; what it has never read begins now. */
  async #start(tenure: Tenure): Promise<void> {
    const { redis } = this.#options;
    const known = await orUnavailable(() => redis.run(this.#positions, server => server.hgetall(this.#positions)));
    const missing: (string | number)[] = [];
    for (const [partition, key] of this.#keys().entries()) {
      const stored = known[partition];
      const reached = this.#reached?.done(partition);
      let position = stored;
      if (position === undefined || reached !== undefined) {
        const newest = await newestId(redis, key);
        position = earlierPosition(newest, laterPosition(stored ?? LOG_START, reached ?? newest));
      }
      if (stored === undefined) missing.push(partition, position);
      tenure.positions.begin(partition, position);
    }
    if (missing.length > 0) await this.#keep(tenure.consumer, missing);
  }

  /** A malformed event counts as done immediately: no service can handle it. */
  #entry(tenure: Tenure, partition: number, id: string, fields: readonly string[]): LifecycleEntry[] {
    tenure.positions.given(partition, id);
    const pairs = fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1] ?? ''] as const] : []));
    const event = readLifecycleFields(Object.fromEntries(pairs));
    if (event !== undefined) return [{ entryId: lifecycleEntryId(partition, id), event, attempt: 1 }];
    tenure.positions.finish(partition, id);
    return [];
  }

  async #keep(consumer: string, positions: readonly (string | number)[]): Promise<void> {
    const { redis } = this.#options;
    const args = [consumer, LIFECYCLE_GROUP_TTL_MS, ...positions];
    const answer = await orUnavailable(() => acknowledgeScript.run(redis, [this.#lease, this.#positions], args));
    if (answer !== 1) this.#lost();
  }

  #tenureOf(consumer: string): Tenure {
    return this.#tenure?.consumer === consumer ? this.#tenure : this.#lost();
  }

  #lost(): never {
    this.#tenure = undefined;
    throw new HubbubError('FORBIDDEN', 'Another consumer of the group has the lease now.');
  }

  #keys(): string[] {
    const { prefix, partitions } = this.#options;
    return Array.from({ length: partitions }, (_, partition) => `${prefix}:presence:{p${partition}}:lifecycle`);
  }
}
