/** The broker within one process: what `hubbub start` uses without Redis, under the same guarantees. */
import { HubbubError } from '@hubbub/protocol';
import type { Broker, Interruption, PublishedOnce } from '../broker.js';
import { IDEMPOTENCY_WINDOW_MS } from '../history.js';

/** Joins the brokers of one process. Each part of the process takes its own by `connect()`. */
export class MemoryExchange {
  readonly #subscribers = new Map<string, Set<MemoryBroker>>();
  /** When keys of `publishOnce` are forgotten, oldest first. */
  readonly #expiryByKey = new Map<string, number>();
  #queue: Array<readonly [channel: string, envelope: Uint8Array]> = [];

  connect(): Broker {
    return new MemoryBroker(this);
  }

  /**
   * Delivered in a later callback of the event loop, as from Redis. A listener that publishes cannot put its envelope before one
   * that is still being delivered. Microtasks are too early: they still belong to the engine's callback for the publisher. It
   * corks no other connection, so a write to an event stream would be four system calls.
   */
  enqueue(channel: string, envelope: Uint8Array): void {
    if (this.#queue.push([channel, envelope]) === 1) setImmediate(() => this.#deliver());
  }

  /** Whether the key is new on the channel; then it is remembered. */
  claim(channel: string, idempotencyKey: string): boolean {
    const now = Date.now();
    for (const [key, expiresAtMs] of this.#expiryByKey) {
      if (expiresAtMs > now) break;
      this.#expiryByKey.delete(key);
    }
    const key = JSON.stringify([channel, idempotencyKey]);
    if (this.#expiryByKey.has(key)) return false;
    this.#expiryByKey.set(key, now + IDEMPOTENCY_WINDOW_MS);
    return true;
  }

  add(channel: string, broker: MemoryBroker): void {
    const brokers = this.#subscribers.get(channel);
    if (brokers === undefined) this.#subscribers.set(channel, new Set([broker]));
    else brokers.add(broker);
  }

  remove(channel: string, broker: MemoryBroker): void {
    const brokers = this.#subscribers.get(channel);
    brokers?.delete(broker);
    if (brokers?.size === 0) this.#subscribers.delete(channel);
  }

  #deliver(): void {
    for (const [channel, envelope] of this.#queue) {
      for (const broker of this.#subscribers.get(channel) ?? []) broker.deliver(channel, envelope);
    }
    this.#queue = [];
  }
}

/** One process is its own server. */
const SERVER = 'memory';

class MemoryBroker implements Broker {
  readonly #exchange: MemoryExchange;
  readonly #channels = new Set<string>();
  #listener: (channel: string, envelope: Uint8Array, server: string) => void = () => {};
  readonly servers = [SERVER];
  #closed = false;

  constructor(exchange: MemoryExchange) {
    this.#exchange = exchange;
  }

  async publish(channel: string, envelope: Uint8Array): Promise<void> {
    this.#assertOpen();
    this.#exchange.enqueue(channel, envelope);
  }

  async publishOnce(channel: string, envelope: Uint8Array, idempotencyKey: string): Promise<PublishedOnce> {
    this.#assertOpen();
    const isNew = this.#exchange.claim(channel, idempotencyKey);
    if (isNew) this.#exchange.enqueue(channel, envelope);
    return { repeated: !isNew };
  }

  async publishKept(channel: string, envelope: Uint8Array, idempotencyKey?: string): Promise<PublishedOnce> {
    if (idempotencyKey !== undefined) return await this.publishOnce(channel, envelope, idempotencyKey);
    await this.publish(channel, envelope);
    return { repeated: false };
  }

  probe(channel: string, envelope: Uint8Array): Promise<void> {
    return this.publish(channel, envelope);
  }

  async subscribe(channel: string): Promise<void> {
    this.#assertOpen();
    this.#channels.add(channel);
    this.#exchange.add(channel, this);
  }

  async unsubscribe(channel: string): Promise<void> {
    this.#channels.delete(channel);
    this.#exchange.remove(channel, this);
  }

  serverOf(): string {
    return SERVER;
  }

  /** Within one process nothing breaks. */
  isInterrupted(): boolean {
    return false;
  }

  onEnvelope(listener: (channel: string, envelope: Uint8Array, server: string) => void): void {
    this.#listener = listener;
  }

  onInterruption(_listener: (interruption: Interruption) => void): void {
    // Within one process nothing breaks.
  }

  async rebuild(): Promise<void> {
    this.#assertOpen();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const channel of this.#channels) this.#exchange.remove(channel, this);
    this.#channels.clear();
  }

  deliver(channel: string, envelope: Uint8Array): void {
    this.#listener(channel, envelope, SERVER);
  }

  #assertOpen(): void {
    if (this.#closed) throw new HubbubError('UNAVAILABLE', 'The broker is closed.');
  }
}
