/** The registry in Redis: hashes of a partition under one hash tag, written by one script. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  LIFECYCLE_KEPT_MAX,
  LOG_START,
  orUnavailable,
  partitionKey,
  publishKept,
  publishOnce,
  REGISTRY_TTL_MS,
  RedisScript,
  type RedisTopology,
  type ScriptArgument,
} from '@hubbub/broker';
import { Channels, lifecycleFields } from '@hubbub/protocol';
import { roomHash, userHash } from '../partition/journal-effects.js';
import type { SavedPartition } from '../partition/saved-partition.js';
import { USER_BUCKETS } from '../partition/users.js';
import { type Claim, type Commit, PARTITION_TTL_MS, type PartitionStore } from '../partition-store.js';
import type { Publication } from '../publication.js';
import { MissedRooms } from './missed-rooms.js';

const claimScript = new RedisScript(
  new URL('../../lua/server-term.lua', import.meta.url),
  new URL('../../lua/claim.lua', import.meta.url),
);
const commitScript = new RedisScript(
  new URL('../../lua/server-term.lua', import.meta.url),
  new URL('../../lua/commit.lua', import.meta.url),
);
const renewScript = new RedisScript(new URL('../../lua/renew.lua', import.meta.url));
const releaseScript = new RedisScript(new URL('../../lua/release.lua', import.meta.url));

/** Fields of `meta` that belong to the scripts. */
const CLAIM_FIELDS = ['owner', 'fence', 'seq', 'pos', 'term'];
/** Hashes asked for, or renewed, in one go. */
const BATCH = 500;
const OUTBOX = 'outbox';
/** Longer than the takeover of a partition takes. */
const OUTBOX_TTL_MS = 20_000;
/** Longer than the outbox lives: an owner that reads it late must not publish its messages again. */
const OUTBOX_WINDOW_MS = 30_000;
const USER_HASHES = Array.from({ length: USER_BUCKETS }, (_, bucket) => userHash(bucket));

/** A frozen server of rooms must not hold up a partition, nor the lease of its instance. */
const PUBLISH_WAIT_MS = 500;

export interface RedisPartitionStoreOptions {
  /** Has the registry. */
  readonly redis: RedisTopology;
  /** Carries the messages to rooms and nodes. Default: `redis`. */
  readonly rooms?: RedisTopology;
  readonly prefix: string;
  /** Called with the number of envelopes that no server took. */
  readonly onLost?: (count: number) => void;
}

export class RedisPartitionStore implements PartitionStore {
  readonly #redis: RedisTopology;
  readonly #rooms: RedisTopology;
  readonly #prefix: string;
  readonly #onLost: (count: number) => void;
  readonly #channels: Channels;
  readonly #missed: MissedRooms;

  constructor(options: RedisPartitionStoreOptions) {
    this.#redis = options.redis;
    this.#rooms = options.rooms ?? options.redis;
    this.#prefix = options.prefix;
    this.#channels = new Channels(options.prefix);
    this.#missed = new MissedRooms(this.#rooms, this.#channels);
    this.#onLost = options.onLost ?? (() => {});
  }

  async claim(partition: number, instance: string, living: readonly string[]): Promise<Claim | undefined> {
    const keys = ['meta', 'rooms', ...USER_HASHES].map(name => this.#key(partition, name));
    const args = [instance, PARTITION_TTL_MS, ...living];
    const reply = await orUnavailable(() => claimScript.run(this.#redis, keys, args));
    if (!Array.isArray(reply)) return undefined;
    const [fence, sequence, position, term, termOfCommit] = reply;
    const claim = {
      partition,
      owner: `${instance}|${fence}`,
      fence: Number(fence),
      sequence: Number(sequence),
      position: position === '' ? LOG_START : position,
      lost: sequence === '',
      term,
      restored: term !== termOfCommit,
    };
    if (this.#isSpread) await this.#publishOutbox(partition);
    return claim;
  }

  /** Need not be one snapshot: since the claim, only this instance can write. */
  async load({ partition }: Claim): Promise<SavedPartition> {
    const [[meta, rooms], buckets] = await Promise.all([
      this.#readHashes(partition, ['meta', 'rooms']),
      this.#readHashes(partition, USER_HASHES),
    ]);
    const names = [...(rooms?.keys() ?? [])];
    const members = await this.#readHashes(partition, names.map(roomHash));
    for (const field of CLAIM_FIELDS) meta?.delete(field);
    return {
      meta: meta ?? new Map(),
      rooms: rooms ?? new Map(),
      members: new Map(names.map((name, index) => [name, members[index] ?? new Map()])),
      users: new Map(buckets.flatMap(bucket => [...bucket])),
    };
  }

  async commit(claim: Claim, commit: Commit): Promise<boolean> {
    // The stream of kept envelopes has another hash tag. Before the commit: a refused envelope could not be found again.
    const kept = commit.publications.filter(publication => publication.kept);
    await orUnavailable(() =>
      Promise.all(kept.map(publication => publishKept(this.#rooms, publication.channel, envelopeOf(publication)))),
    );
    const names = ['meta', 'lifecycle', OUTBOX, ...commit.hashes.map(change => change.name)];
    const keys = names.map(name => this.#key(claim.partition, name));
    const args = commitArguments(claim, commit, this.#isSpread);
    const done = await orUnavailable(() => commitScript.run(this.#redis, keys, args));
    if (done === 1 && this.#isSpread) {
      const publications = commit.publications.filter(publication => !publication.kept);
      await this.#publish(claim.partition, `${claim.owner}/${commit.sequence}`, publications);
    }
    return done === 1;
  }

  takeMissed({ partition }: Claim): Iterable<string> {
    return this.#missed.take(partition);
  }

  /** Whether rooms are on other servers than their partition: its commit cannot publish to them. */
  get #isSpread(): boolean {
    return this.#rooms !== this.#redis || this.#redis.isSharded || this.#redis.shards.length > 1;
  }

  /**
   * Publishes each envelope once, however often this is called for a commit, which its partition, owner and sequence name. The envelopes
   * for a server that does not answer are dropped and counted; `takeMissed` names their rooms.
   */
  async #publish(partition: number, commit: string, publications: readonly Publication[]): Promise<void> {
    const wait = new AbortController();
    const late = sleep(PUBLISH_WAIT_MS, undefined, { signal: wait.signal }).then(() => {
      throw new Error('The server of the room does not answer.');
    });
    late.catch(() => {}); // Aborted, or nothing was late.
    const results = await Promise.allSettled(
      publications.map((publication, index) => {
        // With the partition: several share an owner and a sequence, and publish to the channel of one edge.
        const key = `presence/${partition}/${commit}/${index}`;
        const idempotency = { key, windowMs: OUTBOX_WINDOW_MS };
        return Promise.race([
          publishOnce(this.#rooms, publication.channel, envelopeOf(publication), idempotency),
          late,
        ]);
      }),
    );
    wait.abort();
    const lost = publications.filter((_, index) => results[index]?.status === 'rejected');
    if (lost.length === 0) return;
    this.#onLost(lost.length);
    for (const { room } of lost) if (room !== undefined) this.#missed.add(partition, room);
  }

  /** The former owner may have died between its last commit and the publications of it. */
  async #publishOutbox(partition: number): Promise<void> {
    const key = this.#key(partition, OUTBOX);
    const [commit, ...texts] = await orUnavailable(() => this.#redis.run(key, server => server.lrange(key, 0, -1)));
    if (commit === undefined) return;
    const publications: Publication[] = [];
    for (let at = 0; at + 1 < texts.length; at += 2) {
      const [channel, envelope] = texts.slice(at, at + 2);
      if (channel === undefined || envelope === undefined) continue;
      const address = this.#channels.parse(channel);
      publications.push({ channel, head: envelope, body: '', ...(address?.kind === 'room' && { room: address.room }) });
    }
    await this.#publish(partition, commit, publications);
  }

  async renew({ partition, owner }: Claim, names: readonly string[]): Promise<boolean> {
    const args = [owner, PARTITION_TTL_MS, REGISTRY_TTL_MS];
    for (let at = 0; at === 0 || at < names.length; at += BATCH) {
      const keys = ['meta', ...names.slice(at, at + BATCH)].map(name => this.#key(partition, name));
      if ((await orUnavailable(() => renewScript.run(this.#redis, keys, args))) !== 1) return false;
    }
    return true;
  }

  async release(claim: Claim): Promise<void> {
    await orUnavailable(() => releaseScript.run(this.#redis, [this.#key(claim.partition, 'meta')], [claim.owner]));
  }

  async #readHashes(partition: number, names: readonly string[]): Promise<Map<string, string>[]> {
    const hashes: Map<string, string>[] = [];
    for (let at = 0; at < names.length; at += BATCH) {
      const batch = names.slice(at, at + BATCH).map(name => this.#key(partition, name));
      const replies = await orUnavailable(() =>
        Promise.all(batch.map(key => this.#redis.run(key, server => server.hgetall(key)))),
      );
      for (const reply of replies) hashes.push(new Map(Object.entries(reply)));
    }
    return hashes;
  }

  #key(partition: number, name: string): string {
    return partitionKey(this.#prefix, partition, name);
  }
}

function commitArguments(claim: Claim, commit: Commit, isSpread: boolean): ScriptArgument[] {
  const args: ScriptArgument[] = [
    claim.owner,
    commit.sequence,
    commit.position,
    PARTITION_TTL_MS,
    REGISTRY_TTL_MS,
    LIFECYCLE_KEPT_MAX,
    claim.term,
    isSpread ? OUTBOX_TTL_MS : 0,
  ];
  for (const { clear, remove, set } of commit.hashes) {
    args.push(clear ? 1 : 0, remove.length, ...remove, set.size * 2);
    for (const [field, value] of set) args.push(field, value);
  }
  args.push(commit.lifecycle.length);
  for (const event of commit.lifecycle) {
    const fields = lifecycleFields(event);
    args.push(fields.length, ...fields);
  }
  let bodyBefore: string | undefined;
  for (const { channel, head, body, kept } of commit.publications) {
    if (kept) continue;
    // Most bytes are rosters, the same for each node whose sessions joined.
    args.push(channel, body === bodyBefore ? head.slice(0, -1) : head + body);
    if (!isSpread) bodyBefore = body;
  }
  return args;
}

function envelopeOf({ head, body }: Publication): Buffer {
  return Buffer.from(head + body);
}
