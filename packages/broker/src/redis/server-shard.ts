/** One server of a topology, with the connections to it. */
import type { Redis } from 'ioredis';
import { openRedisConnection } from './connection.js';
import { ConnectionGroup } from './connection-group.js';
import type { RedisCertificates } from './redis-certificates.js';
import type { RedisServer } from './redis-server.js';
import { ServerTerm } from './server-term.js';
import { ServerSubscriberLink } from './subscriber-link.js';
import type { RedisShard, SubscriberLink } from './topology.js';

export interface ServerShardOptions {
  /** Of `rediss://` and the like. Default: the authorities of Node, and no certificate of the client. */
  readonly certificates?: RedisCertificates;
  /** A server that does not answer for this time counts as unavailable. */
  readonly commandTimeoutMs: number;
  /**
   * Commands wait for a connection that is not there yet, as long as `commandTimeoutMs`. For services, which may publish
   * before they are connected; an edge should know immediately. Default false.
   */
  readonly waitForConnection?: boolean;
  /** Stays connected to a server that turns out to be a replica, to look at it. Default false. */
  readonly staysAtReplica?: boolean;
  /** Of a Redis Cluster, whose subscriptions are sharded: the slot of a channel. */
  readonly slotOf?: (channel: string) => number;
  /** Called on each failure of a connection; all of them are retried until `close`. */
  onError(error: Error): void;
}

/** A process that only publishes writes nothing that a replica would refuse: it asks for the role, and for the term. */
const ROLE_CHECK_MS = 1000;

export class ServerShard implements RedisShard {
  readonly commands: Redis;
  readonly term: ServerTerm;
  readonly #server: RedisServer;
  readonly #options: ServerShardOptions;
  readonly #group: ConnectionGroup;
  readonly #readers = new Set<Redis>();
  readonly #roleCheck: NodeJS.Timeout;
  #subscriber: ServerSubscriberLink | undefined;
  #asking: Redis | undefined;

  constructor(server: RedisServer, options: ServerShardOptions) {
    const { commandTimeoutMs, waitForConnection = false, onError } = options;
    this.#server = server;
    this.#options = options;
    const group = new ConnectionGroup({ staysAtReplica: options.staysAtReplica ?? false });
    this.#group = group;
    this.commands = openRedisConnection(server, {
      commandTimeoutMs,
      waitForConnection,
      onError,
      group,
      batchWrites: true,
    });
    this.commands.on('ready', () => void this.#checkRole());
    this.term = new ServerTerm(this.commands, group);
    this.#roleCheck = setInterval(() => void this.#checkRole(), ROLE_CHECK_MS).unref();
  }

  get name(): string {
    return this.#server.name;
  }

  get isReplica(): boolean {
    return this.#group.isReadOnly;
  }

  /** Opened when it is first needed: presence, for example, subscribes to nothing. */
  get subscriber(): SubscriberLink {
    this.#subscriber ??= new ServerSubscriberLink(this.#server, { ...this.#options, group: this.#group });
    return this.#subscriber;
  }

  /** For commands behind `ASKING`, which counts for the next command that is written. Opened when a slot moves here. */
  get asking(): Redis {
    const { commandTimeoutMs, onError } = this.#options;
    this.#asking ??= openRedisConnection(this.#server, {
      commandTimeoutMs,
      waitForConnection: true,
      onError,
      group: this.#group,
    });
    return this.#asking;
  }

  openReader(): Redis {
    const reader = openRedisConnection(this.#server, { onError: this.#options.onError, group: this.#group });
    this.#readers.add(reader);
    reader.once('end', () => this.#readers.delete(reader));
    return reader;
  }

  /** Drops all connections, which then connect to the current address. */
  drop(): void {
    this.#group.drop();
  }

  close(): void {
    clearInterval(this.#roleCheck);
    this.commands.disconnect();
    this.#subscriber?.close();
    this.#asking?.disconnect();
    for (const reader of this.#readers) reader.disconnect();
  }

  async #checkRole(): Promise<void> {
    if (this.commands.status !== 'ready') return;
    void this.term.check();
    // A server that does not report its role counts as a primary: a replica's refusals reveal it.
    const role = await this.commands.role().catch(() => undefined);
    if (!Array.isArray(role)) return;
    if (role[0] === 'slave') this.#group.foundReadOnly();
    else this.#group.foundPrimary();
  }
}
