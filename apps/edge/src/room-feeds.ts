/** The rooms with history that have members here, by channel. */
import type { History } from '@hubbub/broker';
import { type Channels, namespaceOf } from '@hubbub/protocol';
import { type Namespaces, namespaceSettings } from '@hubbub/runtime';
import type { RoomMetrics } from './recovery-metrics.js';
import { RoomFeed, type RoomMessage } from './room-feed.js';
import type { Gap } from './room-position.js';
import { Slots } from './slots.js';

/** Reads of histories under way at once, whatever number of rooms is behind. */
const CONCURRENT_READS = 32;

export interface RoomFeedsOptions {
  readonly history: History;
  readonly namespaces: Namespaces;
  readonly channels: Channels;
  readonly maxReplayMessages: number;
  readonly checkIntervalMs: number;
  readonly metrics: RoomMetrics;
}

export interface FeedListeners {
  deliver(channel: string, message: RoomMessage): void;
  tellGap(channel: string, gap: Gap): void;
}

interface Held {
  readonly feed: RoomFeed;
  holders: number;
}

export class RoomFeeds {
  readonly #options: RoomFeedsOptions;
  readonly #slots = new Slots(CONCURRENT_READS);
  readonly #held = new Map<string, Held>();
  readonly #timer: NodeJS.Timeout;
  #listeners: FeedListeners = { deliver: () => {}, tellGap: () => {} };

  constructor(options: RoomFeedsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#check(), options.checkIntervalMs).unref();
  }

  /** The one listener, before the first room is held. */
  listen(listeners: FeedListeners): void {
    this.#listeners = listeners;
  }

  of(channel: string): RoomFeed | undefined {
    return this.#held.get(channel)?.feed;
  }

  /**
   * For each member and each session that is about to become one; the channel must be subscribed. `undefined` where the
   * room has no history.
   */
  hold(room: string): RoomFeed | undefined {
    const { historySize, historyTtlMs } = namespaceSettings(this.#options.namespaces, namespaceOf(room));
    if (historySize === 0) return undefined;
    const channel = this.#options.channels.room(room);
    let held = this.#held.get(channel);
    if (held === undefined) {
      held = { feed: this.#open(room, channel, historyTtlMs), holders: 0 };
      this.#held.set(channel, held);
    }
    held.holders++;
    return held.feed;
  }

  /** After the last one the position is forgotten: whoever comes next reads it anew. */
  release(room: string): void {
    const channel = this.#options.channels.room(room);
    const held = this.#held.get(channel);
    if (held === undefined) return; // No history.
    held.holders--;
    if (held.holders > 0) return;
    held.feed.close();
    this.#held.delete(channel);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { feed } of this.#held.values()) feed.close();
    this.#held.clear();
  }

  #open(room: string, channel: string, ttlMs: number): RoomFeed {
    const { history, maxReplayMessages, metrics } = this.#options;
    return new RoomFeed(room, {
      history,
      ttlMs,
      maxReplayMessages,
      slots: this.#slots,
      metrics,
      deliver: message => this.#listeners.deliver(channel, message),
      tellGap: gap => this.#listeners.tellGap(channel, gap),
    });
  }

  /** A lost message at the end of a silent room is followed by none that would tell of it. */
  #check(): void {
    for (const { feed } of this.#held.values()) feed.check().catch(() => {}); // Redis is away: its return is told.
  }
}
