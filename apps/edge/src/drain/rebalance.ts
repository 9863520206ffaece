/** Moves sessions off an edge that stays in service: a share on request, and each one that reaches the maximum age. */
import type { Config } from '@hubbub/config';
import type { Logger } from '@hubbub/runtime';
import type { EdgeMetrics } from '../metrics.js';
import type { Session } from '../sessions/session.js';
import { drainSessions } from './drain.js';
import { type MovedSession, SessionMover } from './session-mover.js';

/** The part of a session that a rebalance uses. */
export type AgingSession = MovedSession & Pick<Session, 'openedAtSeconds'>;

export interface RebalanceOptions extends Pick<Config, 'drainWindowMs' | 'maxSessionAgeMs'> {
  readonly sessions: Iterable<AgingSession> & { readonly size: number };
  readonly metrics: Pick<EdgeMetrics, 'sessionsMoved'>;
  readonly log: Logger;
  /** From 0 to 1. */
  readonly random?: () => number;
}

const REASON = 'this session moves to another edge';
const SECOND_MS = 1000;
/** Sessions move at a random age in the last fifth of the maximum: those that opened together do not move together. */
const YOUNGEST_SHARE = 0.8;

export class Rebalance {
  readonly #options: RebalanceOptions;
  readonly #random: () => number;
  readonly #moving = new Set<AgingSession>();
  readonly #departure = new AbortController();
  readonly #aged: SessionMover;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(options: RebalanceOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#aged = new SessionMover({ reason: REASON, windowMs: options.maxSessionAgeMs, random: this.#random });
    if (options.maxSessionAgeMs === 0) return;
    this.#timer = setInterval(() => this.#moveAged(), SECOND_MS);
    this.#timer.unref();
  }

  /**
   * Moves a random share of the sessions over the drain window. Returns their number; it is less where sessions of an earlier
   * request still move.
   * @param percent from 1 to 100
   */
  moveShare(percent: number): number {
    if (this.#departure.signal.aborted) return 0;
    const { drainWindowMs: windowMs, metrics, log } = this.#options;
    const chosen = this.#choose(percent);
    for (const session of chosen) this.#moving.add(session);
    metrics.sessionsMoved('request', chosen.size);
    log.info({ event: 'rebalance_began', percent, sessions: chosen.size }, `moving ${chosen.size} sessions`);
    const startedAtMs = performance.now();
    const sessions = new OpenSessions(chosen);
    const options = { reason: REASON, windowMs, stragglersMs: 0, onSlice: () => {}, signal: this.#departure.signal };
    void drainSessions({ sessions, ...options, random: this.#random }).then(({ notified, closed }) => {
      for (const session of chosen) this.#moving.delete(session);
      const durationMs = Math.round(performance.now() - startedAtMs);
      log.info({ event: 'rebalance_ended', notified, closed, durationMs }, `moved ${notified} sessions`);
    });
    return chosen.size;
  }

  /** Moves nothing any more: the edge leaves, and its drain moves all sessions. */
  close(): void {
    clearInterval(this.#timer);
    this.#departure.abort();
  }

  /** Selection sampling: each session with the same chance, and exactly the share. */
  #choose(percent: number): Set<AgingSession> {
    const open = [...this.#options.sessions].filter(session => session.state === 'open' && !this.#moving.has(session));
    const wanted = Math.ceil((open.length * percent) / 100);
    const chosen = new Set<AgingSession>();
    for (const [index, session] of open.entries()) {
      if (this.#random() * (open.length - index) < wanted - chosen.size) chosen.add(session);
    }
    return chosen;
  }

  /** The chance grows with the age, so that ages at the move are spread evenly. No session keeps a time of its own. */
  #moveAged(): void {
    const { sessions, maxSessionAgeMs, metrics } = this.#options;
    const atMs = performance.now();
    const nowMs = Date.now();
    let moved = 0;
    for (const session of sessions) {
      const ageMs = nowMs - session.openedAtSeconds * SECOND_MS;
      // In the order in which they opened.
      if (ageMs < YOUNGEST_SHARE * maxSessionAgeMs) break;
      if (!this.#aged.canMove(session)) continue;
      if (this.#random() * Math.max(0, maxSessionAgeMs - ageMs) >= SECOND_MS) continue;
      this.#aged.move(session, atMs);
      moved++;
    }
    if (moved > 0) metrics.sessionsMoved('age', moved);
    this.#aged.closeDue(atMs);
  }
}

/** Those of the chosen sessions that are still open. */
class OpenSessions {
  readonly #chosen: Set<AgingSession>;

  constructor(chosen: ReadonlySet<AgingSession>) {
    this.#chosen = new Set(chosen);
  }

  get size(): number {
    for (const session of this.#chosen) if (session.state === 'closed') this.#chosen.delete(session);
    return this.#chosen.size;
  }

  [Symbol.iterator](): Iterator<AgingSession> {
    return this.#chosen.values();
  }
}
