/** Counts the local users of each channel: subscribes for the first, unsubscribes some time after the last. */
import type { Broker } from './broker.js';

interface Pending {
  holders: number;
  /** Shared by all who wait for the channel. */
  readonly confirmation: Promise<void>;
}

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
  /** Confirmed channels. A number each: there is one for every room and every user, and an object would double its cost. */
  readonly #holders = new Map<string, number>();
  readonly #pending = new Map<string, Pending>();
  /** Of confirmed channels without a holder. */
  readonly #lingering = new Map<string, NodeJS.Timeout>();
  /** Unsubscribes in flight: a new subscription waits for them, so that the two cannot swap. */
  readonly #ending = new Map<string, Promise<void>>();
  /** Start times of the subscriptions in progress, the oldest first. */
  readonly #confirming = new Set<{ readonly sinceMs: number }>();

  constructor(broker: Broker, lingerMs: number) {
    this.#broker = broker;
    this.#lingerMs = lingerMs;
  }

  /** Channels subscribed, subscribing or lingering. */
  get size(): number {
    return this.#holders.size + this.#pending.size;
  }

  /** Age of the oldest subscription that the broker has not confirmed, in milliseconds; 0 when all are confirmed. */
  get oldestUnconfirmedMs(): number {
    for (const { sinceMs } of this.#confirming) return performance.now() - sinceMs;
    return 0;
  }

  /**
   * Returns immediately if the channel is confirmed: nearly all callers then await nothing.
   * Else rejects with {@link HubbubError} `UNAVAILABLE`; the caller then holds nothing.
   */
  acquire(channel: string): void | Promise<void> {
    const holders = this.#holders.get(channel);
    if (holders === undefined) return this.#share(channel);
    this.#holders.set(channel, holders + 1);
    if (holders === 0) this.#endLinger(channel);
    if (this.#broker.isInterrupted(channel)) return this.#confirmAgain(channel);
  }

  /** After a break, only a new confirmation guarantees that messages published from now on arrive. */
  async #confirmAgain(channel: string): Promise<void> {
    try {
      await this.#confirm(channel);
    } catch (error) {
      this.release(channel);
      throw error;
    }
  }

  /** Gives back one successful `acquire`. */
  release(channel: string): void {
    const holders = this.#holders.get(channel) ?? 0;
    if (holders === 0) throw new Error(`released more often than acquired: ${channel}`);
    this.#holders.set(channel, holders - 1);
    if (holders > 1) return;
    const linger = setTimeout(() => this.#end(channel), this.#lingerMs);
    linger.unref();
    this.#lingering.set(channel, linger);
  }

  close(): void {
    for (const linger of this.#lingering.values()) clearTimeout(linger);
    for (const channels of [this.#holders, this.#pending, this.#lingering, this.#ending]) channels.clear();
  }

  async #share(channel: string): Promise<void> {
    let pending = this.#pending.get(channel);
    if (pending === undefined) {
      pending = { holders: 0, confirmation: this.#subscribe(channel) };
      this.#pending.set(channel, pending);
    }
    pending.holders++;
    await pending.confirmation;
    if (this.#broker.isInterrupted(channel)) await this.#confirmAgain(channel);
  }

  async #subscribe(channel: string): Promise<void> {
    try {
      const ending = this.#ending.get(channel);
      if (ending !== undefined) await ending;
      await this.#confirm(channel);
      this.#holders.set(channel, this.#pending.get(channel)?.holders ?? 0);
    } finally {
      this.#pending.delete(channel);
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

  #endLinger(channel: string): void {
    clearTimeout(this.#lingering.get(channel));
    this.#lingering.delete(channel);
  }

  #end(channel: string): void {
    this.#lingering.delete(channel);
    this.#holders.delete(channel);
    const ending = this.#broker.unsubscribe(channel).then(() => void this.#ending.delete(channel));
    this.#ending.set(channel, ending);
  }
}
