/** A Redis Cluster: knows which primary has which slot, and follows every move. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HubbubError, type RedisHost, type RedisLocation } from '@hubbub/protocol';
import slotOf from 'cluster-key-slot';
import type { Redis } from 'ioredis';
import { connected } from './connection.js';
import { serverAt } from './redis-server.js';
import { type Reply, RespSocket } from './resp-socket.js';
import { ServerShard, type ServerShardOptions } from './server-shard.js';
import { SlotQueue } from './slot-queue.js';
import type { RedisShard, RedisTopology } from './topology.js';

export type ClusterLocation = Extract<RedisLocation, { topology: 'cluster' }>;

export const SLOTS = 16_384;
/** A frozen primary does not answer: only its replacement in the map shows that it is gone. */
const REFRESH_MS = 1000;
/** While a primary does not answer. */
const BROKEN_REFRESH_MS = 200;
/** A server that does not answer for this time is not asked for the map again soon. */
const MAP_TIMEOUT_MS = 1000;

interface SlotRange {
  readonly from: number;
  readonly to: number;
  readonly primary: RedisHost;
}

export class ClusterTopology implements RedisTopology {
  readonly isSharded = true;
  isClosed = false;
  readonly #location: ClusterLocation;
  readonly #options: ServerShardOptions;
  readonly #shards = new Map<string, ServerShard>();
  readonly #shardOfSlot: (ServerShard | undefined)[] = new Array(SLOTS).fill(undefined);
  readonly #queues = new Map<number, SlotQueue>();
  readonly #onShard: ((shard: RedisShard) => void)[] = [];
  readonly #onMove: (() => void)[] = [];
  /** All servers that the map names, replicas too: any of them can be asked for the next one. */
  #servers: readonly RedisHost[];
  #mapSocket: RespSocket | undefined;
  #refreshing: Promise<void> | undefined;
  #known!: () => void;
  readonly #isKnown: Promise<void>;

  constructor(location: ClusterLocation, options: ServerShardOptions) {
    this.#location = location;
    this.#options = options;
    this.#servers = location.nodes;
    this.#isKnown = new Promise(resolve => {
      this.#known = resolve;
    });
    void this.#run();
  }

  get shards(): readonly RedisShard[] {
    return [...this.#shards.values()];
  }

  onShard(listener: (shard: RedisShard) => void): void {
    this.#onShard.push(listener);
    for (const shard of this.shards) listener(shard);
  }

  onMove(listener: () => void): void {
    this.#onMove.push(listener);
  }

  shardOf(name: string): RedisShard {
    const shard = this.#shardOfSlot[slotOf(name)];
    if (shard === undefined) throw new HubbubError('UNAVAILABLE', 'No server of the Redis Cluster has this slot.');
    return shard;
  }

  async run<Result>(name: string, command: (redis: Redis) => Promise<Result>): Promise<Result> {
    const slot = slotOf(name);
    const { waitForConnection, commandTimeoutMs } = this.#options;
    if (waitForConnection && this.#shards.size === 0) await this.#mapKnown(commandTimeoutMs);
    let queue = this.#queues.get(slot);
    if (queue === undefined) {
      queue = new SlotQueue(commandTimeoutMs, target => this.#moved(slot, target));
      this.#queues.set(slot, queue);
    }
    try {
      return await queue.run(async ask => {
        if (ask === undefined) return await command(this.shardOf(name).commands);
        const { asking } = this.#shardAt(ask);
        void asking.asking().catch(() => {});
        return await command(asking);
      });
    } finally {
      if (queue.isIdle && this.#queues.get(slot) === queue) this.#queues.delete(slot);
    }
  }

  /** Resolves when a new map is applied, or none could be read. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async connected(withinMs: number): Promise<void> {
    await this.#mapKnown(withinMs);
    await Promise.all(this.shards.map(({ commands }) => connected(commands, withinMs)));
  }

  close(): void {
    this.isClosed = true;
    this.#known();
    this.#mapSocket?.end();
    for (const shard of this.#shards.values()) shard.close();
  }

  async #mapKnown(withinMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    // It keeps the process running: between two attempts, nothing else does.
    const timeout = new Promise<never>((_, reject) => {
      const message = `No server of the Redis Cluster answers within ${withinMs} ms.`;
      timer = setTimeout(() => reject(new HubbubError('UNAVAILABLE', message)), withinMs);
    });
    await Promise.race([this.#isKnown, timeout]).finally(() => clearTimeout(timer));
  }

  async #run(): Promise<void> {
    while (!this.isClosed) {
      await this.refresh();
      const isWhole = this.#shards.size > 0 && this.shards.every(({ commands }) => commands.status === 'ready');
      await sleep(isWhole ? REFRESH_MS : BROKEN_REFRESH_MS, undefined, { ref: false });
    }
  }

  /** Asks the servers in turn until one answers; the one that answered stays the first. */
  async #refresh(): Promise<void> {
    const { login, tls } = this.#location;
    for (const server of this.#servers) {
      if (this.isClosed) return;
      try {
        this.#mapSocket ??= await RespSocket.open(serverAt({ ...server, ...login, tls }, this.#options.certificates), {
          onReply() {},
          onEnd: () => {
            this.#mapSocket = undefined;
          },
        });
        const socket = this.#mapSocket;
        const timer = setTimeout(
          () => socket.end(new Error(`${server.host}:${server.port} does not answer.`)),
          MAP_TIMEOUT_MS,
        );
        const reply = await socket.ask('CLUSTER', 'SLOTS').finally(() => clearTimeout(timer));
        this.#apply(rangesOf(reply, server), serversOf(reply, server));
        return;
      } catch (error) {
        this.#mapSocket?.end();
        this.#mapSocket = undefined;
        if (!this.isClosed) this.#options.onError(error as Error);
        // The next refresh begins with another server.
        this.#servers = [...this.#servers.slice(1), ...this.#servers.slice(0, 1)];
      }
    }
  }

  #apply(ranges: readonly SlotRange[], servers: readonly RedisHost[]): void {
    if (ranges.length === 0) return; // A server that has just started and knows no other.
    let isMoved = false;
    const living = new Set<ServerShard>();
    for (const { from, to, primary } of ranges) {
      const shard = this.#shardAt(primary);
      living.add(shard);
      for (let slot = from; slot <= to; slot++) {
        if (this.#shardOfSlot[slot] === shard) continue;
        this.#shardOfSlot[slot] = shard;
        isMoved = true;
      }
    }
    // The server that answered stays the first.
    const [first] = this.#servers;
    const others = servers.filter(({ host, port }) => host !== first?.host || port !== first.port);
    this.#servers = [...(first ? [first] : []), ...others];
    this.#known();
    if (isMoved) for (const listener of this.#onMove) listener();
    for (const [name, shard] of this.#shards) if (!living.has(shard)) this.#retire(name, shard);
  }

  /** Its commands in flight may still be answered. */
  #retire(name: string, shard: ServerShard): void {
    this.#shards.delete(name);
    setTimeout(() => shard.close(), this.#options.commandTimeoutMs).unref();
  }

  #moved(slot: number, target: RedisHost): void {
    const before = this.#shardOfSlot[slot];
    this.#shardOfSlot[slot] = this.#shardAt(target);
    if (before === this.#shardOfSlot[slot]) return;
    for (const listener of this.#onMove) listener();
    void this.refresh();
  }

  #shardAt({ host, port }: RedisHost): ServerShard {
    const name = `${host}:${port}`;
    const known = this.#shards.get(name);
    if (known !== undefined) return known;
    const { login, tls } = this.#location;
    const shard = new ServerShard(serverAt({ host, port, ...login, tls }, this.#options.certificates), {
      ...this.#options,
      slotOf,
    });
    this.#shards.set(name, shard);
    shard.commands.on('close', () => void this.refresh());
    for (const listener of this.#onShard) listener(shard);
    return shard;
  }
}

/** CLUSTER SLOTS: from, to, primary, replica, …; each server is host, port, …. An empty host is the one that was asked. */
function rangesOf(reply: Reply, asked: RedisHost): SlotRange[] {
  return (reply as Reply[][]).map(([from, to, primary]) => ({
    from: Number(from),
    to: Number(to),
    primary: hostOf(primary as Reply[], asked),
  }));
}

function serversOf(reply: Reply, asked: RedisHost): RedisHost[] {
  const servers = (reply as Reply[][]).flatMap(([, , ...ofRange]) => ofRange.map(one => hostOf(one as Reply[], asked)));
  return [...new Map(servers.map(server => [`${server.host}:${server.port}`, server])).values()];
}

function hostOf([host, port]: Reply[], asked: RedisHost): RedisHost {
  const name = host === null || host === undefined ? '' : String(host);
  return { host: name === '' || name === '?' ? asked.host : name, port: Number(port) };
}
