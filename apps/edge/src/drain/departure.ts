/** How an edge leaves: not ready, then closed to newcomers, then empty (design: "leaving well"). */
import { setTimeout as delay } from 'node:timers/promises';
import type { EdgeMetrics } from '../metrics.js';
import { drainSessions } from './drain.js';
import { Rebalance, type RebalanceOptions } from './rebalance.js';

/** `leaving` is not ready but takes everybody in; `drained` refuses. */
export type DepartureState = 'serving' | 'leaving' | 'closing' | 'drained';

export interface DepartureOptions extends RebalanceOptions {
  readonly drainDelayMs: number;
  readonly sharedPort: boolean;
  readonly metrics: Pick<EdgeMetrics, 'draining' | 'drained' | 'sessionsMoved'>;
}

/**
 * The time for a connection that was accepted before the port closed to send its request. Only on a shared port: there
 * another process serves on, and no client may notice that this one ends.
 */
const STRAGGLERS_MS = 500;

export class Departure {
  /** Moves sessions while the edge stays. */
  readonly rebalance: Rebalance;
  readonly #options: DepartureOptions;
  #state: DepartureState = 'serving';
  #remaining = 0;

  constructor(options: DepartureOptions) {
    this.#options = options;
    this.rebalance = new Rebalance(options);
  }

  get state(): DepartureState {
    return this.#state;
  }

  /** Sessions that a drain has still to close. */
  get remaining(): number {
    return this.#remaining;
  }

  /** Whether it refuses handshakes, with the status that sends proxies to another edge. */
  get refuses(): boolean {
    return this.#state === 'drained' || (this.#state === 'closing' && !this.#options.sharedPort);
  }

  /**
   * Resolves when no session is left.
   * @param announced whether a balancer has to see first that this edge is not ready
   */
  async run(announced: boolean, stopListening: () => Promise<void>): Promise<void> {
    const { sessions, metrics, drainDelayMs, drainWindowMs, sharedPort } = this.#options;
    this.rebalance.close();
    this.#state = 'leaving';
    this.#remaining = sessions.size;
    if (announced && drainDelayMs > 0) await delay(drainDelayMs);
    await stopListening();
    this.#state = 'closing';
    const startedAtMs = performance.now();
    const result = await drainSessions({
      sessions,
      reason: 'this edge is leaving',
      windowMs: drainWindowMs,
      stragglersMs: sharedPort ? STRAGGLERS_MS : 0,
      onSlice: remaining => {
        this.#remaining = remaining;
        metrics.draining(remaining);
      },
    });
    this.#state = 'drained';
    metrics.drained({ ...result, durationMs: performance.now() - startedAtMs });
  }
}
