/** Feeds one room with history on this edge: delivers its messages in order, and reads those that are missing. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { History, HistoryPage } from '@hubbub/broker';
import { HubbubError, type Position } from '@hubbub/protocol';
import type { LimitFunction } from 'p-limit';
import type { RecoveryMetrics } from './recovery-metrics.js';
import { messagesOf, type RoomMessage } from './room-message.js';
import { type Crossing, type Gap, RoomPosition } from './room-position.js';
import { type HistoryQueryOfRoom, type ReplayBounds, RoomReplay } from './room-replay.js';

export interface FedRoom {
  readonly name: string;
  readonly channel: string;
  /** Of its history. */
  readonly ttlMs: number;
}

/** The parts that all feeds of an edge share. */
export interface FeedParts extends ReplayBounds {
  readonly history: History;
  /** How often `check` is called. */
  readonly checkIntervalMs: number;
  /** Limits the reads of all rooms together. */
  readonly limitReads: LimitFunction;
  readonly metrics: RecoveryMetrics;
  deliver(channel: string, message: RoomMessage): void;
  reportGap(channel: string, gap: Gap): void;
  reportCrossing(channel: string, crossing: Crossing): void;
}

interface Waiting {
  resolve(): void;
  reject(error: unknown): void;
}

/** Small enough to let the event loop breathe between two reads of a long catch-up. */
const CATCH_UP_PAGE = 128;
const RETRY_AFTER_MS = 250;
/** A read may be ahead of the subscription for a moment: both are connections of their own. */
const LIVE_LAG_MS = 250;
const LIVE_POLL_MS = 10;

export class RoomFeed {
  readonly room: string;
  /** Members, and sessions that are about to become members. */
  holders = 0;
  readonly #channel: string;
  readonly #ttlMs: number;
  readonly #parts: FeedParts;
  readonly #position = new RoomPosition<RoomMessage>();
  /** Made when the first session recovers: in most rooms none does. */
  #replay: RoomReplay | undefined;
  #closed = false;
  #catchingUp = false;
  /** Callers that wait until the feed follows the room. */
  #waiting: Waiting[] | undefined;
  #confirming: Promise<void> | undefined;
  /** The position at the last check, and how often it was unchanged since. */
  #checked: Position | undefined;
  #silentRounds = 0;

  constructor({ name, channel, ttlMs }: FedRoom, parts: FeedParts) {
    this.room = name;
    this.#channel = channel;
    this.#ttlMs = ttlMs;
    this.#parts = parts;
  }

  /** The messages for sessions that recover. */
  get replay(): RoomReplay {
    this.#replay ??= new RoomReplay(this, this.#parts, query => this.#read('replay', () => query));
    return this.#replay;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The last message delivered here; `undefined` before it is known. */
  get position(): Position | undefined {
    return this.#position.position;
  }

  /** As of {@link RoomPosition}. */
  locate(position: Position): Position | undefined {
    return this.#position.locate(position);
  }

  /** As of {@link RoomPosition}. */
  acknowledge(position: Position): boolean {
    return this.#position.acknowledge(position);
  }

  /** A live message came. */
  arrived(message: RoomMessage): void {
    // Waiting messages are copied: a view would keep the whole received chunk alive.
    const kept = this.#position.following ? message : { ...message, body: message.body.slice() };
    const fate = this.#position.take(kept);
    if (fate === 'deliver') this.#deliver(message);
    else if (fate === 'known') this.#parts.metrics.duplicate();
    else void this.#catchUp();
  }

  /** Messages may have been lost on the way here. */
  doubt(): void {
    this.#position.doubt();
    void this.#catchUp();
  }

  /** Resolves when everything that was published before the call is delivered. @throws {HubbubError} `UNAVAILABLE` */
  refresh(): Promise<void> {
    if (this.#closed) return Promise.reject(leaving());
    this.#position.doubt();
    return new Promise((resolve, reject) => {
      this.#waiting ??= [];
      this.#waiting.push({ resolve, reject });
      void this.#catchUp();
    });
  }

  /**
   * Resolves when everything that was published before the call is delivered. Unlike `refresh` it does not delay live messages:
   * a client that claims impossible positions harms only itself. @throws {HubbubError} `UNAVAILABLE`
   */
  confirm(): Promise<void> {
    this.#confirming ??= this.#confirm();
    return this.#confirming;
  }

  /**
   * Call it every `checkIntervalMs`: compares the position with the history's, ever more rarely the longer nothing comes
   * (`silence.ts`). `undefined` when there is nothing to compare this time. @throws {HubbubError} `UNAVAILABLE`
   */
  check(): Promise<void> | undefined {
    const known = this.position;
    const silent = this.#position.following && known !== undefined && known === this.#checked;
    this.#checked = known;
    this.#silentRounds = silent ? this.#silentRounds + 1 : 0;
    const { checkIntervalMs } = this.#parts;
    if (!silent || !isCheckDue(this.#silentRounds, { checkIntervalMs, historyTtlMs: this.#ttlMs })) return undefined;
    return this.#compare(known);
  }

  /** The room is empty: pending reads do nothing. */
  close(): void {
    this.#closed = true;
    for (const { reject } of this.#takeWaiting()) reject(leaving());
    this.#replay?.forget();
  }

  async #confirm(): Promise<void> {
    await nextTurn(); // Callers of the same turn share the read.
    this.#confirming = undefined;
    if (this.position === undefined) return this.refresh();
    const page = await this.#read('check', () => ({ limit: 0, ...(this.position && { known: this.position }) }));
    for (let waitedMs = 0; !this.#closed; waitedMs += LIVE_POLL_MS) {
      const { position } = this;
      if (position?.epoch === page.epoch && position.offset >= page.offset) return;
      if (position?.epoch !== page.epoch || waitedMs >= LIVE_LAG_MS) return this.refresh();
      await sleep(LIVE_POLL_MS);
    }
  }

  async #compare(known: Position): Promise<void> {
    const page = await this.#read('check', () => ({ limit: 0, known }));
    if (this.position === known && (page.epoch !== known.epoch || page.offset !== known.offset)) this.doubt();
  }

  #takeWaiting(): readonly Waiting[] {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    return waiting;
  }

  async #catchUp(): Promise<void> {
    if (this.#catchingUp || this.#closed) return;
    this.#catchingUp = true;
    if (this.position !== undefined) this.#parts.metrics.catchUp();
    while (!this.#position.following && !this.#closed) {
      try {
        await this.#learn();
      } catch (error) {
        for (const { reject } of this.#takeWaiting()) reject(error);
        if (this.position === undefined) break; // The next join tries again.
        await sleep(RETRY_AFTER_MS);
      }
    }
    this.#catchingUp = false;
    for (const { resolve } of this.#takeWaiting()) resolve();
  }

  async #learn(): Promise<void> {
    const page = await this.#read('catch_up', () => {
      const known = this.position;
      this.#position.beginRead();
      return known === undefined ? { limit: 0 } : { known, after: known.offset, limit: CATCH_UP_PAGE };
    });
    if (this.#closed) return;
    const through = page.entries.length < CATCH_UP_PAGE ? page.offset : (page.entries.at(-1)?.offset ?? page.offset);
    for (const { gap, crossing, message } of this.#position.learn({ ...page, through, messages: messagesOf(page) })) {
      if (message !== undefined) {
        this.#deliver(message);
        continue;
      }
      this.#replay?.restart();
      if (crossing !== undefined) {
        this.#parts.reportCrossing(this.#channel, crossing);
        continue;
      }
      this.#parts.metrics.gap(gap.reason);
      this.#parts.reportGap(this.#channel, gap);
    }
  }

  #read(purpose: 'catch_up' | 'check' | 'replay', query: () => HistoryQueryOfRoom): Promise<HistoryPage> {
    const { history, limitReads, metrics } = this.#parts;
    return limitReads(() => {
      metrics.historyRead(purpose);
      return history.read({ room: this.room, ttlMs: this.#ttlMs, ...query() });
    });
  }

  #deliver(message: RoomMessage): void {
    this.#replay?.push(message);
    this.#parts.deliver(this.#channel, message);
  }
}

function leaving(): HubbubError {
  return new HubbubError('UNAVAILABLE', 'This edge is leaving.');
}

/** Rounds between two checks of a room that has been silent for long. */
const ROUNDS_MAX = 16;

/**
 * Decides when a silent room is checked. A message lost at the end of a talk is found in the next round; rooms without talk
 * cost little. Due in rounds 1, 2, 4, 8, 16, and then every 16th: after 5, 10, 20, 40, 80, 160, 240 … s by default. Each
 * check renews the position, which lives twice as long as the history: there is at least one check per life of the history.
 * @param silentRounds how many rounds have passed without a message, from 1
 */
export function isCheckDue(
  silentRounds: number,
  { checkIntervalMs, historyTtlMs }: { readonly checkIntervalMs: number; readonly historyTtlMs: number },
): boolean {
  const every = Math.min(ROUNDS_MAX, Math.max(1, Math.floor(historyTtlMs / checkIntervalMs)));
  const isPowerOfTwo = (silentRounds & (silentRounds - 1)) === 0;
  return silentRounds % every === 0 || (isPowerOfTwo && silentRounds < every);
}
