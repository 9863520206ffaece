/** The rooms with history that have members here, by channel. */
import type { History } from '@hubbub/broker';
import { type Namespaces, namespaceSettings } from '@hubbub/config';
import { type Channels, namespaceOf } from '@hubbub/protocol';
import pLimit from 'p-limit';
import type { RecoveryMetrics } from './recovery-metrics.js';
import type { ReplayMemory } from './replay-memory.js';
import { type FeedParts, RoomFeed } from './room-feed.js';
import type { RoomMessage } from './room-message.js';
import type { Crossing, Gap } from './room-position.js';

/** Concurrent reads of histories, however many rooms are behind. */
const CONCURRENT_READS = 32;
/** Of them, those of silent rooms: they can wait, and leave most to new members and late feeds. */
const CONCURRENT_CHECKS = 8;

export interface RoomFeedsOptions {
  readonly history: History;
  readonly namespaces: Namespaces;
  readonly channels: Channels;
  readonly maxReplayMessages: number;
  /** The bound of a session's buffer: a larger replay cannot be sent. */
  readonly maxBufferedBytes: number;
  readonly replayMemory: ReplayMemory;
  readonly checkIntervalMs: number;
  readonly metrics: RecoveryMetrics;
  /** The next stage: takes the messages of all rooms, each room's in order. */
  deliver(channel: string, message: RoomMessage): void;
  reportGap(channel: string, gap: Gap): void;
  reportCrossing(channel: string, crossing: Crossing): void;
}

export class RoomFeeds {
  readonly #options: RoomFeedsOptions;
  readonly #parts: FeedParts;
  readonly #feeds = new Map<string, RoomFeed>();
  readonly #timer: NodeJS.Timeout;
  #checking = false;

  constructor(options: RoomFeedsOptions) {
    const { history, maxReplayMessages, maxBufferedBytes, replayMemory, checkIntervalMs, metrics } = options;
    this.#options = options;
    this.#parts = {
      history,
      maxReplayMessages,
      maxReplayBytes: Math.min(maxBufferedBytes, replayMemory.maxBytesPerRoom),
      replayMemory,
      checkIntervalMs,
      metrics,
      limitReads: pLimit(CONCURRENT_READS),
      deliver: (channel, message) => options.deliver(channel, message),
      reportGap: (channel, gap) => options.reportGap(channel, gap),
      reportCrossing: (channel, crossing) => options.reportCrossing(channel, crossing),
    };
    this.#timer = setInterval(() => void this.#check(), checkIntervalMs).unref();
  }

  of(channel: string): RoomFeed | undefined {
    return this.#feeds.get(channel);
  }

  /**
   * For each member and each session that is about to become one; the channel must be subscribed. `undefined` where the
   * room has no history.
   * @param channel of the room: the feed shares the text with its caller
   */
  hold(room: string, channel = this.#options.channels.room(room)): RoomFeed | undefined {
    const { historySize, historyTtlMs } = namespaceSettings(this.#options.namespaces, namespaceOf(room));
    if (historySize === 0) return undefined;
    let feed = this.#feeds.get(channel);
    if (feed === undefined) {
      feed = new RoomFeed({ name: room, channel, ttlMs: historyTtlMs }, this.#parts);
      this.#feeds.set(channel, feed);
    }
    feed.holders++;
    return feed;
  }

  /** After the last member the position is forgotten: the next one reads it again. */
  release(room: string): void {
    const channel = this.#options.channels.room(room);
    const feed = this.#feeds.get(channel);
    if (feed === undefined) return; // No history.
    feed.holders--;
    if (feed.holders > 0) return;
    feed.close();
    this.#feeds.delete(channel);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
  }

  /**
   * Checks silent rooms: no later message would reveal a loss at their end. Takes a few rooms at a time, and creates each
   * check only when it is its turn.
   */
  async #check(): Promise<void> {
    if (this.#checking) return; // Redis is slow, or there are very many: the round continues.
    this.#checking = true;
    const feeds = this.#feeds.values();
    const checkSome = async (): Promise<void> => {
      for (const feed of feeds) await feed.check()?.catch(() => {}); // Redis is away: its return triggers a check.
    };
    await Promise.all(Array.from({ length: CONCURRENT_CHECKS }, checkSome));
    this.#checking = false;
  }
}
