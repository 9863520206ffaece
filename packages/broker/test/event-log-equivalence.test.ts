/** Random lives of a log, in memory and on Redis side by side: every answer must be the same. */
import { HubbubError } from '@hubbub/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { PROVISION_TIMEOUT_MS } from '../../../tests/support/provision.js';
import { startRedis, type TestRedis } from '../../../tests/support/redis.js';
import type { EventGroup, EventLog } from '../src/event-log.js';
import { MemoryEventLog } from '../src/memory/memory-event-log.js';
import { eventOf, LEASE_MS } from './event-stories.js';
import { openRedisEventLog } from './redis-event-log.js';

const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1);
const STEPS = 300;
const GROUPS = ['referee', 'audit'] as const;
const CONSUMERS = ['r1', 'r2', 'r3'] as const;
const MAX_LENGTH = 12;
const LATEST = 14;
const TURN = 30;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
}, PROVISION_TIMEOUT_MS);

describe.each(SEEDS)('life %i', seed => {
  test('in memory and on Redis are one', async () => {
    const onRedis = await openRedisEventLog(redis, { prefix: `${redis.prefix}-life-${seed}` });
    const [inMemory, real] = [new Life(new MemoryEventLog()), new Life(onRedis.log)];
    const random = randomFrom(seed);
    for (let step = 0; step < STEPS; step++) {
      const deed = chooseDeed(random, step);
      expect(await real.lead(deed), `step ${step}: ${JSON.stringify(deed)}`).toEqual(await inMemory.lead(deed));
    }
    expect(inMemory.given).toBeGreaterThan(10);
  });
});

/** One action, chosen before its answer is known. */
interface Deed {
  readonly does: 'append' | 'hold' | 'release' | 'read' | 'acknowledge' | 'retry' | 'deadLetter' | 'look';
  readonly group: string;
  readonly consumer: string;
  /** For an append, the name of a new event; otherwise, also for a repeated append, the index of a recent one. */
  readonly event: string | number;
  readonly limit: number;
}

function chooseDeed(random: () => number, step: number): Deed {
  const pick = <T>(from: readonly [T, ...T[]]): T => from[Math.floor(random() * from.length)] ?? from[0];
  const does = pick<Deed['does']>([
    'append',
    ...(['append', 'append', 'append', 'hold', 'hold', 'hold', 'release', 'read', 'read', 'read'] as const),
    ...(['acknowledge', 'acknowledge', 'acknowledge', 'retry', 'deadLetter', 'look'] as const),
  ]);
  // Consumers take long turns, so that one holds the lease for a while; the previous one releases it.
  const turn = Math.floor(step / TURN);
  const main = CONSUMERS[(does === 'release' ? turn + CONSUMERS.length - 1 : turn) % CONSUMERS.length];
  const consumer = main !== undefined && random() < 0.9 ? main : pick(CONSUMERS);
  const event = does === 'append' && random() < 0.8 ? `${step}` : Math.floor(random() * LATEST);
  return { does, group: pick(GROUPS), consumer, event, limit: 1 + Math.floor(random() * 5) };
}

/** A log and its consumers, each in its own process; answers omit values that differ by nature. */
class Life {
  readonly #log: EventLog;
  readonly #groups = new Map<string, EventGroup>();
  readonly #entryIds = new Map<string, string>();
  /** Entries handed out, repeats included: a run that hands out none tests nothing. */
  given = 0;

  constructor(log: EventLog) {
    this.#log = log;
  }

  async lead(deed: Deed): Promise<unknown> {
    try {
      return await this.#do(deed);
    } catch (error) {
      if (error instanceof HubbubError) return error.code;
      throw error;
    }
  }

  async #do({ does, group: name, consumer, event: meant, limit }: Deed): Promise<unknown> {
    const group = this.#group(name, consumer);
    const event = typeof meant === 'string' ? meant : ([...this.#entryIds.keys()].at(-1 - meant) ?? 'none yet');
    const entryId = this.#entryIds.get(event) ?? '1-1';
    switch (does) {
      case 'append': {
        const options = { namespace: 'game', maxLength: MAX_LENGTH, ttlMs: 60_000, idempotencyKey: event };
        const appended = await this.#log.append({ ...options, event: eventOf(event) });
        const known = this.#entryIds.get(event);
        this.#entryIds.set(event, appended.entryId);
        return [appended.repeated, known === undefined || known === appended.entryId];
      }
      case 'hold':
        return await group.hold(consumer, LEASE_MS);
      case 'release':
        return await group.release(consumer);
      case 'read':
        return await this.#read(group, consumer, limit);
      case 'acknowledge':
        return await group.acknowledge(consumer, [...this.#entryIds.values()].slice(-1 - LATEST).slice(0, 2 * limit));
      case 'retry':
        return await group.retry(consumer, entryId);
      case 'deadLetter':
        return await group.deadLetter(consumer, entryId, 'no');
      case 'look': {
        const { length, groups } = await this.#log.backlog('game');
        const dead = await group.deadLetters(100);
        const letters = dead.map(({ event: entry, attempt, reason }) => [entry?.id, attempt, reason]);
        return { length, groups: [...groups].sort((a, b) => (a.group < b.group ? -1 : 1)), letters };
      }
    }
  }

  async #read(group: EventGroup, consumer: string, limit: number): Promise<unknown> {
    const entries = await group.read(consumer, { limit, waitMs: 0 });
    this.given += entries.length;
    return entries.map(({ event, attempt }) => [event.id, attempt]);
  }

  #group(name: string, consumer: string): EventGroup {
    const key = `${name} ${consumer}`;
    const group = this.#groups.get(key) ?? this.#log.group('game', name);
    this.#groups.set(key, group);
    return group;
  }
}

/** Mulberry32: the same life for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
