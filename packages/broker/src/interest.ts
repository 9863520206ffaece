/** Counts the local users of each channel: subscribes for the first, unsubscribes some time after the last. */
import type { Broker } from './broker.js';

interface Entry {
  /** Those who acquired the channel and have not released it, the waiting ones included. */
  holders: number;
  /** Set while subscribed or subscribing: concurrent holders share it, and once it is there all channels share one. */
  subscription: Promise<void> | undefined;
  /** Set while an unsubscribe is pending: a new subscription waits for it, so that the two cannot swap. */
  ending: Promise<void> | undefined;
  linger: NodeJS.Timeout | undefined;
}

const SUBSCRIBED = Promise.resolve();

/**
 * Counts the holders of each channel and keeps the broker's subscriptions to match.
 *
 * - The first holder's `acquire` resolves when the subscription is confirmed; those who come meanwhile share the promise.
 * - During a break of the subscriptions `acquire` waits until the channel is confirmed again, or rejects.
 * - When the subscription fails, every waiting `acquire` rejects and counts no longer.
 * - After the last `release` the subscription stays for `lingerMs`, so that a reconnect or a room visited in turns costs
 *   Redis nothing.
 */
export class Interest {
  readonly #broker: Broker;
  readonly #lingerMs: number;
  readonly #entries = new Map<string, Entry>();
  /** Start times of the subscriptions in progress, the oldest first. */
  readonly #confirming = new Set<{ readonly sinceMs: number }>();

  constructor(broker: Broker, lingerMs: number) {
    this.#broker = broker;
    this.#lingerMs = lingerMs;
  }

  /** Channels subscribed, subscribing or lingering. */
  get size(): number {
    return this.#entries.size;
  }

  /** Age of the oldest subscription that the broker has not confirmed, in milliseconds; 0 when all are confirmed. */
  get oldestUnconfirmedMs(): number {
    for (const { sinceMs } of this.#confirming) return performance.now() - sinceMs;
    return 0;
  }

  /** @throws {HubbubError} `UNAVAILABLE`; the caller then holds nothing. */
  async acquire(channel: string): Promise<void> {
    const entry = this.#entry(channel);
    entry.holders++;
    clearTimeout(entry.linger);
    entry.subscription ??= this.#subscribe(channel, entry);
    try {
      await entry.subscription;
      // Confirmed before a break: only a new confirmation makes it true that what is published from now on arrives.
      if (this.#broker.isInterrupted(channel)) await this.#confirm(channel);
    } catch (error) {
      if (entry.subscription === undefined) entry.holders--;
      else this.release(channel);
      if (entry.holders === 0 && entry.subscription === undefined) this.#entries.delete(channel);
      throw error;
    }
  }

  /** Gives back one successful `acquire`. */
  release(channel: string): void {
    const entry = this.#entries.get(channel);
    if (entry === undefined || entry.holders === 0) throw new Error(`released more often than acquired: ${channel}`);
    entry.holders--;
    if (entry.holders > 0) return;
    clearTimeout(entry.linger);
    entry.linger = setTimeout(() => this.#endUnlessHeld(channel, entry), this.#lingerMs);
    entry.linger.unref();
  }

  close(): void {
    for (const entry of this.#entries.values()) clearTimeout(entry.linger);
    this.#entries.clear();
  }

  #entry(channel: string): Entry {
    let entry = this.#entries.get(channel);
    if (entry === undefined) {
      entry = { holders: 0, subscription: undefined, ending: undefined, linger: undefined };
      this.#entries.set(channel, entry);
    }
    return entry;
  }

  async #subscribe(channel: string, entry: Entry): Promise<void> {
    try {
      if (entry.ending !== undefined) await entry.ending;
      await this.#confirm(channel);
      entry.subscription = SUBSCRIBED;
    } catch (error) {
      entry.subscription = undefined;
      throw error;
    }
  }

  async #confirm(channel: string): Promise<void> {
    const confirming = { sinceMs: performance.now() };
    this.#confirming.add(confirming);
    try {
      await this.#broker.subscribe(channel);
    } finally {
      this.#confirming.delete(confirming);
    }
  }

  #endUnlessHeld(channel: string, entry: Entry): void {
    if (entry.holders > 0) return;
    entry.subscription = undefined;
    entry.ending = this.#broker.unsubscribe(channel).then(() => {
      entry.ending = undefined;
      if (entry.holders === 0 && entry.subscription === undefined) this.#entries.delete(channel);
    });
  }
}
