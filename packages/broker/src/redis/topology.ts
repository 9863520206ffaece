/** The Redis servers of a cluster of Hubbub, and which of them holds which name. */
import type { Redis } from 'ioredis';
import type { Interruption } from '../broker.js';

/** The subscriptions at one shard. */
export interface SubscriberLink {
  /** The one listener. It must not throw. */
  listen(listener: SubscriberListener): void;
  /** Whether a break was noticed and not yet repaired. */
  readonly interrupted: boolean;
  /** Changes with each break. */
  readonly breaks: number;
  isConfirmed(channel: string): boolean;
  confirmed(): readonly string[];
  /** Ends these subscriptions here, without asking Redis: another shard has their names now. */
  forget(channels: readonly string[]): void;
  /**
   * Resolves when Redis has confirmed the channel, also where it was confirmed before.
   * @throws {HubbubError} `UNAVAILABLE`; the channel is then not subscribed.
   */
  subscribe(channel: string): Promise<void>;
  /** Resolves when no further message of the channel comes. Never rejects. */
  unsubscribe(channel: string): Promise<void>;
  /** Drops the connection: the next one subscribes to everything again. */
  drop(): void;
}

export interface SubscriberListener {
  onMessage(channel: string, message: Buffer): void;
  /** All confirmed channels are subscribed again after a break. */
  onInterruption(interruption: Omit<Interruption, 'server'>): void;
  /** Redis ended these subscriptions, because another shard has their names now. */
  onMoved(channels: readonly string[]): void;
}

/**
 * The replication id of a server. It has another one after a restart or a promotion, when its data may have gone back in
 * time (docs/decisions/0007).
 */
export interface Term {
  /** Of the server that the next command reaches; `''` while unknown, and always without the right to INFO. */
  readonly current: string;
  /** The listener runs when the server has another term than before, and takes commands. */
  onChange(listener: () => void): void;
}

/** A server, or a primary with its replicas, that holds a part of the names. */
export interface RedisShard {
  /** For logs and metrics, such as `10.0.0.5:6379`. */
  readonly name: string;
  /** With auto-pipelining: the commands of one tick are one write. */
  readonly commands: Redis;
  /** Of the server behind `commands`. */
  readonly term: Term;
  readonly subscriber: SubscriberLink;
  /** Whether the server turned out to be a replica: a message published there reaches no subscriber of its primary. */
  readonly isReplica: boolean;
  /** Opens a connection without a command timeout, for reads that block it. It ends with `disconnect`, or with the shard. */
  openReader(): Redis;
}

/**
 * Guarantees:
 * - **One place.** All names with one hash tag, the part in braces, are on one shard at any time.
 * - **Order.** Commands about one name reach Redis in the order of the calls of `run`.
 */
export interface RedisTopology {
  readonly shards: readonly RedisShard[];
  /** Whether channels are those of sharded pub/sub (`SPUBLISH`). */
  readonly isSharded: boolean;
  /** Calls the listener with each shard, now and when one is added. */
  onShard(listener: (shard: RedisShard) => void): void;
  /** Calls the listener when names have moved to other shards. */
  onMove(listener: () => void): void;
  /** Resolves when the places of names were asked for again. */
  refresh(): Promise<void>;
  /** The shard that holds a key or a channel. @throws {HubbubError} `UNAVAILABLE` while that is unknown */
  shardOf(name: string): RedisShard;
  /**
   * Runs one command about a name, or about names with its hash tag, at the shard that holds it. The function is called again
   * where the name has moved.
   */
  run<Result>(name: string, command: (redis: Redis) => Promise<Result>): Promise<Result>;
  /** Resolves when every shard takes commands; rejects after `withinMs`. They keep trying either way. */
  connected(withinMs: number): Promise<void>;
  readonly isClosed: boolean;
  close(): void;
}
