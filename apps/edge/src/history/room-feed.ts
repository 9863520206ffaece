/** One room with history on this edge: its live messages in order, what is missing read, and the frames of a replay. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { History, HistoryEntry, HistoryPage } from '@hubbub/broker';
import { decodeEnvelope, type Envelope, HubbubError, type Position } from '@hubbub/protocol';
import type { LimitFunction } from 'p-limit';
import type { RecoveryMetrics } from './recovery-metrics.js';
import type { ReplayMemory } from './replay-memory.js';
import { type KeptMessage, ReplayWindow } from './replay-window.js';
import { type Gap, RoomPosition } from './room-position.js';
import { isCheckDue } from './silence.js';
import { withoutForgery } from './withheld-message.js';

/** A message of a room with history, live or read. */
export type RoomMessage = Envelope & Position;

export interface FedRoom {
  readonly name: string;
  readonly channel: string;
  /** Of its history. */
  readonly ttlMs: number;
}

/** The parts that all feeds of an edge share. */
export interface FeedParts {
  readonly history: History;
  readonly maxReplayMessages: number;
  /** More than that is not replayed to a session, and not read for it. */
  readonly maxReplayBytes: number;
  readonly replayMemory: ReplayMemory;
  /** How often `check` is called. */
  readonly checkIntervalMs: number;
  /** Limits the reads of all rooms together. */
  readonly limitReads: LimitFunction;
  readonly metrics: RecoveryMetrics;
  deliver(channel: string, message: RoomMessage): void;
  tellGap(channel: string, gap: Gap): void;
}

interface Waiting {
  resolve(): void;
  reject(error: unknown): void;
}

/** Small enough to let the event loop breathe between two reads of a long catch-up. */
const CATCH_UP_PAGE = 128;
const RETRY_AFTER_MS = 250;
const WINDOW_IDLE_MS = 2000;
/** A read may be ahead of the subscription for a moment: both are connections of their own. */
const LIVE_LAG_MS = 250;
const LIVE_POLL_MS = 10;
/** The bytes of an envelope beside its body. */
const HEADER_MAX_BYTES = 128;

export class RoomFeed {
  readonly room: string;
  /** Members, and sessions that are about to become members: kept by who holds the feed for them. */
  holders = 0;
  readonly #channel: string;
  readonly #ttlMs: number;
  readonly #parts: FeedParts;
  readonly #position = new RoomPosition<RoomMessage>();
  #closed = false;
  #catchingUp = false;
  /** Those who wait until the room follows. */
  #waiting: Waiting[] | undefined;
  #window: ReplayWindow | undefined;
  #windowTimer: NodeJS.Timeout | undefined;
  /** The history was read back to here, and has nothing older. */
  #oldest = 0;
  #extending: Promise<void> | undefined;
  #extendTo: number | undefined;
  /** A replay from below this offset exceeds `maxReplayBytes`: within an epoch it never shrinks. */
  #tooLargeBelow = 0;
  #confirming: Promise<void> | undefined;
  /** The position at the last check, and how often it was unchanged since. */
  #checked: Position | undefined;
  #silentRounds = 0;
  /** Distinguishes the message at the position from another one with its offset. */
  #fingerprint: string | undefined;

  constructor({ name, channel, ttlMs }: FedRoom, parts: FeedParts) {
    this.room = name;
    this.#channel = channel;
    this.#ttlMs = ttlMs;
    this.#parts = parts;
  }

  /** The last message delivered here; `undefined` before it is known. */
  get position(): Position | undefined {
    return this.#position.position;
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
   * Resolves when everything that was published before the call is delivered. Unlike `refresh` it keeps no live message
   * waiting: so a client that claims positions which are not there delays nobody. @throws {HubbubError} `UNAVAILABLE`
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

  /** The frames behind the position, kept from now on for a moment. Only where the position is known. */
  window(): ReplayWindow {
    if (this.#window?.dropped === true) this.#forgetWindow();
    const { maxReplayMessages: maxMessages, maxReplayBytes: maxBytes, replayMemory: memory } = this.#parts;
    this.#window ??= new ReplayWindow(this.room, this.position?.offset ?? 0, { maxMessages, maxBytes, memory });
    this.#window.touch();
    clearTimeout(this.#windowTimer);
    this.#windowTimer = setTimeout(() => this.#forgetWindow(), WINDOW_IDLE_MS).unref();
    return this.#window;
  }

  /** Whether the history was found not to reach back to `offset`. */
  lacks(offset: number): boolean {
    return offset < this.#oldest;
  }

  /** Whether what follows `offset` was found to be more than is replayed. */
  isTooLarge(offset: number): boolean {
    return offset < this.#tooLargeBelow;
  }

  /** Reads the window back to `offset`: one read for all simultaneous callers. @throws {HubbubError} `UNAVAILABLE` */
  async extendWindow(offset: number): Promise<void> {
    this.#extendTo = Math.min(this.#extendTo ?? offset, offset);
    this.#extending ??= this.#extend().finally(() => {
      this.#extending = undefined;
    });
    await this.#extending;
  }

  /** The room is empty: pending reads do nothing. */
  close(): void {
    this.#closed = true;
    for (const { reject } of this.#takeWaiting()) reject(leaving());
    this.#forgetWindow();
  }

  async #extend(): Promise<void> {
    await nextTurn(); // Those who come in the same turn share the read.
    const window = this.window();
    const after = this.#extendTo ?? window.from;
    this.#extendTo = undefined;
    const epoch = this.position?.epoch;
    const before = window.from + 1;
    const { from } = window;
    const maxBytes = window.freeBytes + (before - after) * HEADER_MAX_BYTES;
    const page = await this.#read('replay', () => ({ after, before, limit: before - after, from: 'newest', maxBytes }));
    if (this.#closed || window !== this.#window || window.dropped) return; // Waiting callers ask again.
    if (page.epoch !== epoch) return this.refresh();
    if (page.tooLargeBelow !== undefined) {
      this.#tooLargeBelow = page.tooLargeBelow;
      return;
    }
    window.prepend(keptOf(page));
    const oldest = (page.entries[0]?.offset ?? before) - 1;
    if (oldest > after) this.#oldest = oldest;
    // Nothing that was read continues the window: asking again would be the same answer.
    if (window.from === from && from > after) this.#oldest = Math.max(this.#oldest, from);
  }

  async #confirm(): Promise<void> {
    await nextTurn(); // Those who come in the same turn share the read.
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
    let page = await this.#read('catch_up', () => {
      const known = this.position;
      this.#position.beginRead();
      // The message at the position comes again, to be compared.
      return known === undefined ? { limit: 0 } : { known, after: Math.max(0, known.offset - 1), limit: CATCH_UP_PAGE };
    });
    if (this.#closed) return;
    let messages = messagesOf(page);
    if (this.#wasRewritten(page, messages)) {
      const known = { epoch: page.epoch, offset: Number.MAX_SAFE_INTEGER };
      page = await this.#read('catch_up', () => ({ known, limit: 0 }));
      if (this.#closed) return;
      messages = [];
    }
    const { offset } = this.position ?? page;
    messages = messages.filter(message => message.offset > offset);
    const through = page.entries.length < CATCH_UP_PAGE ? page.offset : (page.entries.at(-1)?.offset ?? page.offset);
    for (const { gap, message } of this.#position.learn({ ...page, through, messages })) {
      if (message !== undefined) this.#deliver(message);
      else {
        this.#forgetWindow();
        this.#tooLargeBelow = 0;
        this.#fingerprint = undefined;
        this.#parts.metrics.gap(gap.reason);
        this.#parts.tellGap(this.#channel, gap);
      }
    }
  }

  /**
   * A restored Redis may have counted again from older data before this edge could publish its position. Then this epoch has
   * two messages of one offset, and must end.
   */
  #wasRewritten({ epoch }: Position, messages: readonly RoomMessage[]): boolean {
    const position = this.position;
    if (this.#fingerprint === undefined || position?.epoch !== epoch) return false;
    const found = messages.find(({ offset }) => offset === position.offset);
    return found !== undefined && fingerprintOf(found) !== this.#fingerprint;
  }

  #read(purpose: 'catch_up' | 'check' | 'replay', query: () => ReadQuery): Promise<HistoryPage> {
    const { history, limitReads, metrics } = this.#parts;
    return limitReads(() => {
      metrics.historyRead(purpose);
      return history.read({ room: this.room, ttlMs: this.#ttlMs, ...query() });
    });
  }

  #deliver(message: RoomMessage): void {
    this.#fingerprint = fingerprintOf(message);
    this.#window?.push(message);
    this.#parts.deliver(this.#channel, message);
  }

  #forgetWindow(): void {
    clearTimeout(this.#windowTimer);
    this.#window?.drop();
    this.#window = undefined;
    this.#oldest = 0;
  }
}

function leaving(): HubbubError {
  return new HubbubError('UNAVAILABLE', 'This edge is leaving.');
}

/** Two messages of one offset were published before and after a restart of Redis: their times differ. */
function fingerprintOf({ publishedAtMs, excludeSession = '', body }: RoomMessage): string {
  return `${publishedAtMs} ${body.length} ${excludeSession}`;
}

type ReadQuery = Omit<Parameters<History['read']>[0], 'room' | 'ttlMs'>;

/** The messages of a page, without entries that are not envelopes of this epoch. */
export function messagesOf(page: HistoryPage): RoomMessage[] {
  return page.entries.flatMap(entry => messageOf(entry, page) ?? []);
}

const NO_BODY = new Uint8Array(0);

/** All entries of a page: one that is not an envelope of this epoch keeps its place, so that there is no hole. */
function keptOf(page: HistoryPage): KeptMessage[] {
  const { epoch } = page;
  return page.entries.map(
    entry => messageOf(entry, page) ?? { epoch, offset: entry.offset, encoding: 'json', body: NO_BODY },
  );
}

function messageOf({ envelope, offset }: HistoryEntry, { epoch }: Position): RoomMessage | undefined {
  const decoded = decodeEnvelope(envelope);
  return decoded?.epoch === epoch ? withoutForgery({ ...decoded, epoch, offset }) : undefined;
}
