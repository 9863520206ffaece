/** The subscriptions at one server, on one connection that reconnects by itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HubbubError } from '@hubbub/protocol';
import { COMMANDS_PER_WRITE } from './batching-redis.js';
import { reconnectDelayMs } from './connection.js';
import type { ConnectionGroup } from './connection-group.js';
import type { RedisServer } from './redis-server.js';
import { type Reply, RespSocket } from './resp-socket.js';
import type { SubscriberLink, SubscriberListener } from './topology.js';

/** Channels in one command: large enough to be rare, small enough not to delay other commands of the connection. */
const CHANNELS_PER_COMMAND = 512;
/** Between two checks of a server that is a replica. */
const REPLICA_RETRY_MS = 250;

export interface SubscriberLinkOptions {
  /** A subscription without an answer for this time is refused. */
  readonly commandTimeoutMs: number;
  readonly group: ConnectionGroup;
  /** Of a Redis Cluster, whose subscriptions are sharded: the slot of a channel. */
  readonly slotOf?: (channel: string) => number;
  /** Called on each failure; the link retries until it is closed. */
  onError(error: Error): void;
}

interface Waiting {
  readonly channel: string;
  /** Shared by all callers that ask for the channel meanwhile. */
  readonly confirmation: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

/** A command without an answer. Redis answers each channel, or the whole command with an error. */
interface Sent {
  readonly verb: 'subscribe' | 'unsubscribe';
  readonly unanswered: Set<string>;
  settle(error?: Error): void;
}

export class ServerSubscriberLink implements SubscriberLink {
  readonly #server: RedisServer;
  readonly #options: SubscriberLinkOptions;
  readonly #confirmed = new Set<string>();
  readonly #waiting = new Map<string, Waiting>();
  #queue: Waiting[] = [];
  #sent: Sent[] = [];
  #socket: RespSocket | undefined;
  #ready = false;
  #breaks = 0;
  /** `undefined` while the connection is open, and before the first one. */
  #brokenAtMs: number | undefined;
  #closed = false;
  #listener: SubscriberListener = { onMessage() {}, onInterruption() {}, onMoved() {} };
  /** Of the names of commands and replies: `s` where subscriptions are sharded. */
  readonly #prefix: 's' | '';
  readonly #messageKind: Buffer;
  #moved: string[] = [];

  constructor(server: RedisServer, options: SubscriberLinkOptions) {
    this.#server = server;
    this.#options = options;
    this.#prefix = options.slotOf === undefined ? '' : 's';
    this.#messageKind = Buffer.from(`${this.#prefix}message`);
    options.group.add(this);
    void this.#run();
  }

  listen(listener: SubscriberListener): void {
    this.#listener = listener;
  }

  get interrupted(): boolean {
    return this.#brokenAtMs !== undefined;
  }

  get breaks(): number {
    return this.#breaks;
  }

  isConfirmed(channel: string): boolean {
    return this.#confirmed.has(channel);
  }

  confirmed(): readonly string[] {
    return [...this.#confirmed];
  }

  forget(channels: readonly string[]): void {
    for (const channel of channels) this.#confirmed.delete(channel);
  }

  subscribe(channel: string): Promise<void> {
    const known = this.#waiting.get(channel);
    if (known !== undefined) return known.confirmation;
    let settle!: Pick<Waiting, 'resolve' | 'reject'>;
    const confirmation = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    const waiting = { channel, confirmation, ...settle };
    this.#waiting.set(channel, waiting);
    const { length } = this.#queue;
    if (length === 0) setImmediate(() => this.#flush());
    this.#queue.push(waiting);
    if (length + 1 >= COMMANDS_PER_WRITE) this.#flush();
    return confirmation;
  }

  async unsubscribe(channel: string): Promise<void> {
    this.#confirmed.delete(channel);
    // A broken connection has no subscriptions, and the next one does not ask for this channel.
    if (this.#ready) await this.#send('unsubscribe', [channel]).catch(() => {});
  }

  drop(): void {
    this.#socket?.end();
  }

  close(): void {
    this.#closed = true;
    this.#options.group.remove(this);
    this.drop();
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#closed; attempt++) {
      let onEnd!: (cause?: Error) => void;
      const ended = new Promise<Error | undefined>(resolve => {
        onEnd = resolve;
      });
      try {
        this.#socket = await RespSocket.open(this.#server, { onReply: reply => this.#take(reply), onEnd });
        if (this.#closed) break;
        await this.#restore(this.#socket);
        attempt = 0;
        const cause = await ended;
        if (cause !== undefined) throw cause;
      } catch (error) {
        if (!this.#closed) this.#options.onError(error as Error);
      }
      this.#break();
      if (!this.#closed) await sleep(reconnectDelayMs(attempt));
    }
    this.drop();
  }

  /** Subscribes to everything confirmed, then reports. */
  async #restore(socket: RespSocket): Promise<void> {
    const role = await socket.ask('ROLE').catch(() => undefined);
    if (Array.isArray(role) && String(role[0]) === 'slave') {
      this.#options.group.foundReadOnly();
      await sleep(REPLICA_RETRY_MS);
      socket.end(new Error('The server is a replica.'));
      throw new Error('The server is a replica.');
    }
    this.#options.group.foundPrimary();
    this.#ready = true;
    const channels = [...this.#confirmed];
    try {
      await this.#renew(channels);
    } catch (error) {
      // A Redis that takes connections but no commands: a new connection tries again.
      socket.end(error as Error);
      throw error;
    }
    const brokenAtMs = this.#brokenAtMs;
    this.#brokenAtMs = undefined;
    if (brokenAtMs === undefined) return;
    const kept = channels.filter(channel => this.#confirmed.has(channel));
    this.#listener.onInterruption({ channels: kept, durationMs: Date.now() - brokenAtMs });
  }

  async #renew(channels: readonly string[]): Promise<void> {
    // A cluster refuses the channels of a slot that has moved, and confirms the others.
    const renewals = this.#batches(channels, channel => channel).map(async batch => {
      // Without channels that were removed meanwhile.
      const wanted = batch.filter(channel => this.#confirmed.has(channel));
      try {
        if (wanted.length > 0) await this.#send('subscribe', wanted);
      } catch (error) {
        if (!isMoved(error)) throw error;
        for (const channel of wanted) this.#left(channel);
      }
    });
    await Promise.all(renewals);
  }

  #break(): void {
    this.#socket = undefined;
    this.#ready = false;
    this.#breaks++;
    this.#brokenAtMs ??= Date.now();
    for (const { settle } of this.#sent.splice(0)) settle(new Error('Connection is closed.'));
  }

  #flush(): void {
    for (const batch of this.#batches(this.#queue.splice(0), ({ channel }) => channel)) void this.#subscribe(batch);
  }

  async #subscribe(batch: readonly Waiting[]): Promise<void> {
    const channels = batch.map(({ channel }) => channel);
    try {
      if (!this.#ready) throw new Error('The connection is not ready.');
      await this.#send('subscribe', channels);
    } catch (cause) {
      for (const channel of channels) this.#waiting.delete(channel);
      this.#takeBack(channels);
      const error = new HubbubError('UNAVAILABLE', 'Redis did not confirm the subscription.', { cause });
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const { channel, resolve } of batch) {
      this.#waiting.delete(channel);
      this.#confirmed.add(channel);
      resolve();
    }
  }

  /** Redis may execute a command after its timeout. An UNSUBSCRIBE behind it leaves no channel without a holder here. */
  #takeBack(channels: readonly string[]): void {
    const unwanted = channels.filter(channel => !this.#confirmed.has(channel));
    if (unwanted.length > 0 && this.#ready) void this.#send('unsubscribe', unwanted).catch(() => {});
  }

  #send(verb: Sent['verb'], channels: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('Command timed out')), this.#options.commandTimeoutMs);
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#sent.push({ verb, unanswered: new Set(channels), settle });
      this.#socket?.send([`${this.#prefix}${verb}`, ...channels]);
    });
  }

  #take(reply: Reply): void {
    if (reply instanceof Error) this.#sent.shift()?.settle(reply);
    if (!Array.isArray(reply)) return;
    const [kind, channel, message] = reply;
    if (Buffer.isBuffer(kind) && kind.equals(this.#messageKind))
      this.#listener.onMessage(String(channel), message as Buffer);
    else this.#answered(String(kind).slice(this.#prefix.length), String(channel));
  }

  #answered(verb: string, channel: string): void {
    const sent = this.#sent[0];
    if (sent?.verb !== verb || !sent.unanswered.delete(channel)) {
      // Redis ended the subscription by itself: the slot has moved.
      if (verb === 'unsubscribe') this.#left(channel);
      return;
    }
    if (sent.unanswered.size > 0) return;
    this.#sent.shift();
    sent.settle();
  }

  /** Reports all channels of a slot together. */
  #left(channel: string): void {
    if (!this.#confirmed.delete(channel)) return;
    if (this.#moved.push(channel) > 1) return;
    setImmediate(() => this.#listener.onMoved(this.#moved.splice(0)));
  }

  /** Commands may name channels of one slot only, where there are slots. */
  #batches<T>(items: readonly T[], channelOf: (item: T) => string): T[][] {
    const { slotOf } = this.#options;
    if (slotOf === undefined) return batches(items);
    const bySlot = new Map<number, T[]>();
    for (const item of items) {
      const slot = slotOf(channelOf(item));
      const ofSlot = bySlot.get(slot);
      if (ofSlot === undefined) bySlot.set(slot, [item]);
      else ofSlot.push(item);
    }
    return [...bySlot.values()].flatMap(batches);
  }
}

function isMoved(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('MOVED');
}

function batches<T>(items: readonly T[]): T[][] {
  const result: T[][] = [];
  for (let at = 0; at < items.length; at += CHANNELS_PER_COMMAND)
    result.push(items.slice(at, at + CHANNELS_PER_COMMAND));
  return result;
}
