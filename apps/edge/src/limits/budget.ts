/** The one type of budget: what remains of a resource to a session, and to all that share it with the session. */
import { namespaceOf } from '@hubbub/protocol';
import type { TokenBucket } from '@hubbub/runtime';
import { LimitExceeded, type LimitName } from './limit-exceeded.js';

/** Frames, calls to Redis, bytes that answer a small request, and bytes that a history stores. */
export type Resource = 'frames' | 'calls' | 'bytes_out' | 'stored_bytes';

const WHAT: Readonly<Record<Resource, string>> = {
  frames: 'frames',
  calls: 'calls to Redis',
  bytes_out: 'bytes of answers',
  stored_bytes: 'bytes of history',
};

/** When the frame came that is executed: one reading of the clock for all budgets of a session. */
export interface FrameClock {
  nowMs: number;
}

/** The bucket of a room's namespace. */
export type NamespaceBuckets = (namespace: string) => TokenBucket;

/** Everything that was charged on this edge, for the metrics. */
export type Usage = Record<Exclude<Resource, 'frames'>, number>;

const SHARED_BY = ['session', 'user', 'address', 'namespace'] as const;
type Sharer = (typeof SHARED_BY)[number];

/** `undefined`: no limit. */
export interface BudgetParts {
  readonly resource: Resource;
  readonly clock: FrameClock;
  readonly session?: TokenBucket | undefined;
  readonly user?: TokenBucket | undefined;
  readonly address?: TokenBucket | undefined;
  readonly namespaces?: NamespaceBuckets | undefined;
  /** Counts what is charged. */
  readonly used?: Usage;
}

export class Budget {
  readonly #parts: BudgetParts;
  /** Most sessions talk to one room again and again: its namespace is looked up once. */
  #lastRoom = '';
  #lastNamespace: TokenBucket | undefined;

  constructor(parts: BudgetParts) {
    this.#parts = parts;
  }

  /** To be remembered when the session ends. */
  get session(): TokenBucket | undefined {
    return this.#parts.session;
  }

  /** Why nothing more may be used now; `undefined` while anything is left. Takes nothing. */
  refusal(room?: string): LimitExceeded | undefined {
    const { resource, clock } = this.#parts;
    let first: Sharer | undefined;
    let longestMs = 0;
    for (const sharer of SHARED_BY) {
      const bucket = this.#bucketOf(sharer, room);
      const waitMs = bucket?.waitMs(clock.nowMs) ?? 0;
      if (bucket === undefined || waitMs === 0) continue;
      first ??= sharer;
      // A refused frame needs one token, and each gets another one. The need of other actions is not known.
      longestMs = Math.max(longestMs, resource === 'frames' ? bucket.promiseMs(clock.nowMs) : waitMs);
    }
    return first && usedUp(first, resource, longestMs);
  }

  /** @throws {LimitExceeded} `RATE_LIMITED`, where nothing is left. */
  assertLeft(room?: string): void {
    const refusal = this.refusal(room);
    if (refusal !== undefined) throw refusal;
  }

  /** Takes what was used, also more than is left: then the next action waits until the debt is paid. */
  charge(amount: number, room?: string): void {
    const { resource, used } = this.#parts;
    for (const sharer of SHARED_BY) this.#bucketOf(sharer, room)?.take(amount);
    if (used !== undefined && resource !== 'frames') used[resource] += amount;
  }

  /** Takes what the action is about to use. @throws {LimitExceeded} `RATE_LIMITED`, where nothing is left. */
  spend(amount: number, room?: string): void {
    this.assertLeft(room);
    this.charge(amount, room);
  }

  #bucketOf(sharer: Sharer, room: string | undefined): TokenBucket | undefined {
    return sharer === 'namespace' ? this.#namespaceOf(room) : this.#parts[sharer];
  }

  #namespaceOf(room: string | undefined): TokenBucket | undefined {
    const { namespaces } = this.#parts;
    if (room === undefined || namespaces === undefined) return undefined;
    if (room !== this.#lastRoom) {
      this.#lastRoom = room;
      this.#lastNamespace = namespaces(namespaceOf(room));
    }
    return this.#lastNamespace;
  }
}

function usedUp(sharer: Sharer, resource: Resource, waitMs: number): LimitExceeded {
  const limit: LimitName = `${sharer}_${resource}` as LimitName;
  const retryAfterMs = Math.ceil(waitMs);
  const message = `This ${sharer} has used up its ${WHAT[resource]}; send again in ${retryAfterMs} ms.`;
  return new LimitExceeded(limit, 'RATE_LIMITED', message, retryAfterMs);
}
