/** A group of the lifecycle streams on Redis: it reads them as one, and remembers how far it has come. */
import { HubbubError, type LifecycleGap, lifecycleFields, readLifecycleFields } from '@hubbub/protocol';
import { readDeadLetter } from '../dead-letter-fields.js';
import { fieldMap } from '../event-fields.js';
import { DEAD_LETTERS_MAX } from '../event-log.js';
import { replayEntryId } from '../lifecycle-entry-ids.js';
import {
  LIFECYCLE_GROUP_TTL_MS,
  type LifecycleEntry,
  type LifecycleGroup,
  type LifecycleLetter,
} from '../lifecycle-log.js';
import type { LifecyclePositions } from '../lifecycle-positions.js';
import { LifecycleTenure } from '../lifecycle-tenure.js';
import { LOG_START, type LogPosition, laterPosition } from '../report-log.js';
import { type LifecycleKeys, lifecycleKeys } from './lifecycle-keys.js';
import { continueAt, streamState } from './lifecycle-streams.js';
import { RedisScript } from './redis-script.js';
import { StreamReader } from './stream-reader.js';
import type { RedisTopology } from './topology.js';
import { orOutcomeUnknown, orUnavailable } from './unavailable.js';

const holdScript = new RedisScript(new URL('../../lua/lifecycle-hold.lua', import.meta.url));
const acknowledgeScript = new RedisScript(new URL('../../lua/lifecycle-acknowledge.lua', import.meta.url));
const deadLetterScript = new RedisScript(new URL('../../lua/lifecycle-dead-letter.lua', import.meta.url));
const replayScript = new RedisScript(new URL('../../lua/event-replay.lua', import.meta.url));
const releaseScript = new RedisScript(new URL('../../lua/event-release.lua', import.meta.url));

/** Field of the positions with the gap that is not acknowledged, as `missed 1700000000000-0`; empty: none. */
const GAP = 'gap';

export interface RedisLifecycleOptions {
  readonly redis: RedisTopology;
  readonly prefix: string;
  readonly partitions: number;
}

export class RedisLifecycleGroup implements LifecycleGroup {
  readonly #redis: RedisTopology;
  readonly #group: string;
  readonly #keys: LifecycleKeys;
  readonly #reader: StreamReader;
  #tenure: LifecycleTenure | undefined;
  /** Of the newest tenure here. A Redis that went back in time may know an earlier place of the group, or none. */
  #reached: LifecyclePositions | undefined;

  constructor({ redis, prefix, partitions }: RedisLifecycleOptions, group: string) {
    this.#redis = redis;
    this.#group = group;
    this.#reader = new StreamReader(redis);
    this.#keys = lifecycleKeys(prefix, partitions, group);
  }

  async hold(consumer: string, leaseMs: number): Promise<boolean> {
    const renews = this.#tenure?.consumer === consumer;
    const { lease, positions, replays, dead } = this.#keys;
    const args = [consumer, Math.ceil(leaseMs), renews ? 1 : 0, LIFECYCLE_GROUP_TTL_MS];
    const answer = await orUnavailable(() => holdScript.run(this.#redis, [lease, positions, replays, dead], args));
    if (answer !== 1) {
      if (renews) this.#tenure = undefined;
      return false;
    }
    if (!renews) {
      const tenure = new LifecycleTenure(consumer);
      await this.#start(tenure);
      this.#tenure = tenure;
      this.#reached = tenure.positions;
    }
    return true;
  }

  async release(consumer: string): Promise<void> {
    if (this.#tenure?.consumer === consumer) this.#tenure = undefined;
    this.#reader.close();
    // A Redis that is away ends the lease by itself.
    await releaseScript.run(this.#redis, [this.#keys.lease], [consumer]).catch(() => {});
  }

  async read(consumer: string, { limit, waitMs }: { limit: number; waitMs: number }): Promise<LifecycleEntry[]> {
    const tenure = this.#tenureOf(consumer);
    const gap = tenure.giveGap();
    if (gap.length > 0) return gap;
    const { streams, replays } = this.#keys;
    const from = new Map(streams.map((key, partition) => [key, tenure.positions.next(partition)]));
    from.set(replays, tenure.replaysUpTo);
    const found = await this.#reader.read(from, { limit, waitMs: Math.max(1, waitMs) });
    this.#tenureOf(consumer);
    if (await this.#hasMissed(from, found, limit)) {
      const id = newGapId();
      await this.#keep(consumer, [GAP, gapText('missed', id)]);
      this.#tenureOf(consumer).openGap('missed', id);
    }
    const entries = [...found].flatMap(([key, list]) =>
      list.flatMap(({ id, fields }) => {
        const event = eventOf(fields);
        return key === replays ? tenure.giveReplay(id, event) : tenure.give(streams.indexOf(key), id, event);
      }),
    );
    return [...tenure.giveGap(), ...entries];
  }

  async retry(consumer: string, entryId: string): Promise<number> {
    const given = this.#tenureOf(consumer).given(entryId);
    if (given === undefined) return this.#lost();
    given.attempt++;
    return given.attempt;
  }

  async acknowledge(consumer: string, entryIds: readonly string[]): Promise<void> {
    const { moved, replays, closesGap } = this.#tenureOf(consumer).finish(entryIds);
    const fields = [...moved].flatMap(([partition, done]) => [String(partition), done]);
    if (closesGap) fields.push(GAP, '');
    if (fields.length + replays.length > 0) await this.#keep(consumer, fields, replays);
  }

  /** In two steps: a takeover between them gives the entry out again. */
  async deadLetter(consumer: string, entryId: string, reason: string): Promise<void> {
    const given = this.#tenureOf(consumer).given(entryId);
    if (given !== undefined) {
      const { lease, dead } = this.#keys;
      const own = [consumer, LIFECYCLE_GROUP_TTL_MS, DEAD_LETTERS_MAX, entryId, reason, given.attempt];
      const args = [...own, ...lifecycleFields(given.event)];
      const answer = await orUnavailable(() => deadLetterScript.run(this.#redis, [lease, dead], args));
      if (answer !== 1) this.#lost();
    }
    await this.acknowledge(consumer, [entryId]);
  }

  async deadLetters(limit: number): Promise<readonly LifecycleLetter[]> {
    const { dead } = this.#keys;
    const found = await orUnavailable(() =>
      this.#redis.run(dead, server => server.xrange(dead, '-', '+', 'COUNT', Math.max(1, limit))),
    );
    return found.map(([letterId, texts]) => readDeadLetter(letterId, texts, eventOf));
  }

  async replay(letterId: string): Promise<string | undefined> {
    const { replays, dead } = this.#keys;
    const args = [letterId, this.#group, LIFECYCLE_GROUP_TTL_MS];
    const id = await orOutcomeUnknown(() => replayScript.run(this.#redis, [replays, dead], args));
    return typeof id === 'string' ? replayEntryId(id) : undefined;
  }

  /** Where the group was, as Redis or this process knows; what it has never read begins now. */
  async #start(tenure: LifecycleTenure): Promise<void> {
    const { positions, streams } = this.#keys;
    const known = await orUnavailable(() => this.#redis.run(positions, server => server.hgetall(positions)));
    const states = await Promise.all(streams.map(key => streamState(this.#redis, key)));
    const fields: string[] = [];
    let [unknown, missed] = [0, 0];
    for (const [partition, state] of states.entries()) {
      const stored = known[partition];
      const places = [stored, this.#reached?.done(partition)].filter(place => place !== undefined);
      const isUnknown = places.length === 0;
      const { from, hasMissed } = isUnknown
        ? { from: state.newest, hasMissed: false }
        : continueAt(places.reduce(laterPosition), state);
      if (isUnknown) unknown++;
      if (hasMissed) missed++;
      if (from !== stored) fields.push(String(partition), from);
      tenure.positions.begin(partition, from);
    }
    const former = /^(began|missed) (\d+-\d+)$/.exec(known[GAP] ?? '');
    let [, reason, id = newGapId()] = former ?? [];
    if (unknown === streams.length) [reason, id] = ['began', newGapId()];
    else if (unknown + missed > 0) [reason, id] = ['missed', newGapId()];
    if (reason !== undefined) {
      tenure.openGap(reason as LifecycleGap['reason'], id);
      fields.push(GAP, gapText(reason, id));
    }
    // Together: a position behind a gap must not be kept without it.
    if (fields.length > 0) await this.#keep(tenure.consumer, fields);
  }

  /** Only a reader that has more to read than an answer holds can be behind what a stream keeps. */
  async #hasMissed(
    from: ReadonlyMap<string, LogPosition>,
    found: ReadonlyMap<string, readonly unknown[]>,
    limit: number,
  ): Promise<boolean> {
    const behind = this.#keys.streams.filter(key => (found.get(key)?.length ?? 0) >= limit);
    const states = await Promise.all(behind.map(key => streamState(this.#redis, key)));
    return states.some((state, i) => continueAt(from.get(behind[i] ?? '') ?? LOG_START, state).hasMissed);
  }

  /** @param fields of the positions, each with its value @param replayed ids to delete */
  async #keep(consumer: string, fields: readonly string[], replayed: readonly string[] = []): Promise<void> {
    const { lease, positions, replays } = this.#keys;
    const args = [consumer, LIFECYCLE_GROUP_TTL_MS, fields.length, ...fields, ...replayed];
    const answer = await orUnavailable(() => acknowledgeScript.run(this.#redis, [lease, positions, replays], args));
    if (answer !== 1) this.#lost();
  }

  #tenureOf(consumer: string): LifecycleTenure {
    return this.#tenure?.consumer === consumer ? this.#tenure : this.#lost();
  }

  #lost(): never {
    this.#tenure = undefined;
    throw new HubbubError('FORBIDDEN', 'Another consumer of the group has the lease now.');
  }
}

const newGapId = () => `${Date.now()}-0`;
const gapText = (reason: string, id: string) => `${reason} ${id}`;

function eventOf(fields: readonly string[]): LifecycleEntry['event'] | undefined {
  return readLifecycleFields(Object.fromEntries(fieldMap(fields)));
}
