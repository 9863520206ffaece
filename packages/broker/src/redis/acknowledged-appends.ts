/** The last appends of a process that Redis acknowledged: when Redis returns with older data, they show what was lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Position } from '@hubbub/protocol';
import { type AcknowledgedLoss, type History, locate } from '../history.js';

interface Acknowledged extends Position {
  readonly room: string;
  readonly ttlMs: number;
  readonly atMs: number;
}

/** Before the last append: what a failover, or an AOF that is written each second, can lose is younger. */
const KEPT_MS = 10_000;
/** Epochs, and so rooms; of more rooms the one with the oldest append is forgotten. */
const KEPT_MAX = 10_000;
const CONCURRENT_READS = 8;
const RETRY_MS = 250;

export interface AcknowledgedAppendsListener {
  isClosed(): boolean;
  onLoss(loss: AcknowledgedLoss): void;
}

export class AcknowledgedAppends {
  readonly #history: Pick<History, 'read'>;
  readonly #listener: AcknowledgedAppendsListener;
  /** On this connection, by epoch, the oldest first. */
  #recent = new Map<string, Acknowledged>();
  /** On earlier connections: appends to a restarted Redis do not replace them. */
  #held = new Map<string, Acknowledged>();

  constructor(history: Pick<History, 'read'>, listener: AcknowledgedAppendsListener) {
    this.#history = history;
    this.#listener = listener;
  }

  add(append: Omit<Acknowledged, 'atMs'>): void {
    remember(this.#recent, { ...append, atMs: performance.now() });
  }

  /** The connection broke: the appends are kept for the next `check`. */
  hold(): void {
    for (const append of this.#recent.values()) remember(this.#held, append);
    this.#recent = new Map();
  }

  /** Compares the appends with what Redis has, a few rooms at a time, and reports what it lacks. */
  async check(): Promise<void> {
    this.hold();
    const appends = this.#held.values();
    this.#held = new Map();
    const checkSome = async (): Promise<void> => {
      for (const append of appends) await this.#check(append);
    };
    await Promise.all(Array.from({ length: CONCURRENT_READS }, checkSome));
  }

  async #check({ room, epoch, offset, ttlMs, atMs }: Acknowledged): Promise<void> {
    // Afterwards it is not lost, but expired.
    while (!this.#listener.isClosed() && performance.now() - atMs < ttlMs) {
      try {
        const page = await this.#history.read({ room, ttlMs, limit: 0 });
        const found = locate({ epoch, offset }, page);
        if (found !== undefined && found.offset <= page.offset) return;
        const keptOffset = page.bridges.find(bridge => bridge.epoch === epoch)?.offset ?? 0;
        return this.#listener.onLoss({ room, epoch, offset, keptOffset });
      } catch {
        await sleep(RETRY_MS, undefined, { ref: false }); // Redis is away again.
      }
    }
  }
}

/** Keeps the highest offset of each epoch, and no append that is old compared with the last one. */
function remember(appends: Map<string, Acknowledged>, append: Acknowledged): void {
  const { epoch, offset, atMs } = append;
  const before = appends.get(epoch)?.offset ?? 0;
  appends.delete(epoch);
  appends.set(epoch, before > offset ? { ...append, offset: before } : append);
  for (const [oldest, found] of appends) {
    if (atMs - found.atMs < KEPT_MS && appends.size <= KEPT_MAX) break;
    appends.delete(oldest);
  }
}
