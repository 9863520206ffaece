/**
 * The one cost model of an edge: the cost of an action to others, and the remaining budget. It counts calls to Redis by this
 * edge and by presence, bytes that answer a small request, and bytes that a history stores.
 * See docs/decisions/0006-what-an-action-costs.md.
 */
import { type ClientFrameType, namespaceOf } from '@hubbub/protocol';
import type { TokenBucket } from '@hubbub/runtime';
import { LimitExceeded, type LimitName } from './limit-exceeded.js';

export const RESOURCES = ['calls', 'bytes_out', 'stored_bytes'] as const;
export type Resource = (typeof RESOURCES)[number];

/** Of a `resume` for each room: subscription, report to presence, history. */
export const CALLS_OF_RESUMED_ROOM = 3;
/** Of a `set_status` for each room: report to presence, and what it publishes to the room. */
export const CALLS_OF_STATUS_IN_ROOM = 2;
/** Calls that a frame causes at most. */
export const CALLS: Readonly<Record<ClientFrameType | 'client_event', number>> = {
  join_room: CALLS_OF_RESUMED_ROOM,
  online_users: 2, // Report to presence, and its answer.
  leave_room: 1,
  send_message: 1,
  typing: 1,
  stop_typing: 1,
  history: 1,
  client_event: 1,
  refresh: 0,
  ping: 0,
  resume: 0, // By room.
  set_status: 0, // By room.
};

/** When the frame came that is executed: one reading of the clock for all budgets of a session. */
export interface FrameClock {
  nowMs: number;
}

/** The bucket of a room's namespace. */
export type NamespaceBuckets = (namespace: string) => TokenBucket;

export interface BudgetParts {
  readonly resource: Resource;
  readonly clock: FrameClock;
  /** `undefined`: no limit, as with the others. */
  readonly session?: TokenBucket | undefined;
  readonly user?: TokenBucket | undefined;
  readonly namespaces?: NamespaceBuckets | undefined;
  readonly used: Usage;
}

/** Everything that was charged on this edge, for the metrics. */
export type Usage = Record<Resource, number>;

/** One session's budget of one resource: its own share, its user's, and the namespace's. */
export class ResourceBudget {
  /** To be remembered when the session ends. */
  readonly session: TokenBucket | undefined;
  readonly #resource: Resource;
  readonly #clock: FrameClock;
  readonly #user: TokenBucket | undefined;
  readonly #namespaces: NamespaceBuckets | undefined;
  readonly #used: Usage;
  /** Most sessions talk to one room again and again: its namespace is looked up once. */
  #lastRoom = '';
  #lastNamespace: TokenBucket | undefined;

  constructor({ resource, clock, session, user, namespaces, used }: BudgetParts) {
    this.session = session;
    this.#resource = resource;
    this.#clock = clock;
    this.#user = user;
    this.#namespaces = namespaces;
    this.#used = used;
  }

  /** Why nothing more may be used now; `undefined` while anything is left. */
  refusal(room: string | undefined): LimitExceeded | undefined {
    const { nowMs } = this.#clock;
    const sessionMs = this.session?.waitMs(nowMs) ?? 0;
    if (sessionMs > 0) return usedUp('session', this.#resource, sessionMs);
    const userMs = this.#user?.waitMs(nowMs) ?? 0;
    if (userMs > 0) return usedUp('user', this.#resource, userMs);
    const namespaceMs = this.#namespaceOf(room)?.waitMs(nowMs) ?? 0;
    return namespaceMs > 0 ? usedUp('namespace', this.#resource, namespaceMs) : undefined;
  }

  /** @throws {LimitExceeded} `RATE_LIMITED`, where nothing is left. */
  assertLeft(room: string | undefined): void {
    const refusal = this.refusal(room);
    if (refusal !== undefined) throw refusal;
  }

  /** Takes what was used, also more than is left: then the next action waits until the debt is paid. */
  charge(amount: number, room: string | undefined): void {
    this.session?.take(amount);
    this.#user?.take(amount);
    this.#namespaceOf(room)?.take(amount);
    this.#used[this.#resource] += amount;
  }

  /** Takes what the action is about to use. @throws {LimitExceeded} `RATE_LIMITED`, where nothing is left. */
  spend(amount: number, room: string | undefined): void {
    this.assertLeft(room);
    this.charge(amount, room);
  }

  #namespaceOf(room: string | undefined): TokenBucket | undefined {
    if (room === undefined || this.#namespaces === undefined) return undefined;
    if (room !== this.#lastRoom) {
      this.#lastRoom = room;
      this.#lastNamespace = this.#namespaces(namespaceOf(room));
    }
    return this.#lastNamespace;
  }
}

const WHAT: Readonly<Record<Resource, string>> = {
  calls: 'calls to Redis',
  bytes_out: 'bytes of answers',
  stored_bytes: 'bytes of history',
};

function usedUp(scope: 'session' | 'user' | 'namespace', resource: Resource, waitMs: number): LimitExceeded {
  const limit: LimitName = `${scope}_${resource}` as LimitName;
  const retryAfterMs = Math.ceil(waitMs);
  const message = `This ${scope} has used up its ${WHAT[resource]}; send again in ${retryAfterMs} ms.`;
  return new LimitExceeded(limit, 'RATE_LIMITED', message, retryAfterMs);
}
