/** The budgets of all sessions, users and namespaces on an edge: opened with a session's first frame, kept until they are full. */

import { type Config, namespaceSettings } from '@hubbub/config';
import { DEFAULT_NAMESPACE, namespaceOf } from '@hubbub/protocol';
import { type Rate, TokenBucket } from '@hubbub/runtime';
import { Budget, type FrameClock, type NamespaceBuckets, type Usage } from './budget.js';
import { RememberedBuckets, SharedBuckets } from './keyed-buckets.js';
import { type Limited, limitKeyOf } from './limit-key.js';

export type CostSettings = Pick<
  Config,
  | 'maxCallsPerSecond'
  | 'maxUserCallsPerSecond'
  | 'maxNamespaceCallsPerSecond'
  | 'maxBytesOutPerSecond'
  | 'maxUserBytesOutPerSecond'
  | 'maxNamespaceBytesOutPerSecond'
  | 'maxUserStoredBytes'
  | 'maxNamespaceStoredBytes'
  | 'maxRooms'
  | 'namespaces'
>;

/** The burst, in seconds of the rate: a page that opens asks for much, and then for little. */
const CALLS_BURST_SECONDS = 4;
const BYTES_OUT_BURST_SECONDS = 16;
/** A client that reconnects resumes all its rooms in one frame. */
const CALLS_OF_A_ROOM = 3;

export class CostLimits {
  readonly used: Usage = { calls: 0, bytes_out: 0, stored_bytes: 0 };
  readonly #settings: CostSettings;
  readonly #calls: Scopes;
  readonly #bytesOut: Scopes;
  /** By namespace with a history. */
  readonly #stored = new Map<string, StoredScopes>();

  constructor(settings: CostSettings) {
    this.#settings = settings;
    const { namespaces } = settings;
    const calls = (perSecond: number) =>
      rateOf(perSecond, Math.max(CALLS_BURST_SECONDS * perSecond, CALLS_OF_A_ROOM * settings.maxRooms));
    const bytes = (perSecond: number) => rateOf(perSecond, BYTES_OUT_BURST_SECONDS * perSecond);
    const names = [DEFAULT_NAMESPACE, ...Object.keys(namespaces)];
    this.#calls = scopesOf(
      names,
      calls(settings.maxCallsPerSecond),
      calls(settings.maxUserCallsPerSecond),
      calls(settings.maxNamespaceCallsPerSecond),
    );
    this.#bytesOut = scopesOf(
      names,
      bytes(settings.maxBytesOutPerSecond),
      bytes(settings.maxUserBytesOutPerSecond),
      bytes(settings.maxNamespaceBytesOutPerSecond),
    );
    for (const name of names) {
      const { historySize, historyTtlMs } = namespaceSettings(namespaces, name);
      // The whole amount may be stored immediately, and again within the time to live of the first entry.
      const stored = (bytes: number) => rateOf(bytes / (historyTtlMs / 1000), bytes);
      const own = stored(settings.maxNamespaceStoredBytes);
      if (historySize === 0) continue;
      this.#stored.set(name, {
        users: shared(stored(settings.maxUserStoredBytes)),
        own: own && new TokenBucket(own, 0),
      });
    }
  }

  /** Buckets that are held or remembered. */
  size(nowMs: number): number {
    const stored = [...this.#stored.values()].map(({ users }) => users?.size(nowMs) ?? 0);
    return sizeOf(this.#calls, nowMs) + sizeOf(this.#bytesOut, nowMs) + stored.reduce((sum, size) => sum + size, 0);
  }

  /** For a session with its first frame. */
  open(session: Limited, nowMs: number): SessionCost {
    const key = limitKeyOf(session.user, session.address);
    const clock = { nowMs };
    const budget = (resource: 'calls' | 'bytes_out', { sessions, users, namespaces }: Scopes) =>
      new Budget({
        resource,
        clock,
        session: sessions?.take(key, nowMs),
        user: users?.hold(key, nowMs),
        namespaces,
        used: this.used,
      });
    return new SessionCost({
      key,
      clock,
      calls: budget('calls', this.#calls),
      bytesOut: budget('bytes_out', this.#bytesOut),
      scopes: this.#stored,
      maxRooms: this.#settings.maxRooms,
      used: this.used,
    });
  }

  /** Once for each `open`. */
  close(cost: SessionCost, nowMs: number): void {
    for (const [{ sessions, users }, { session }] of [
      [this.#calls, cost.calls],
      [this.#bytesOut, cost.bytesOut],
    ] as const) {
      if (session !== undefined) sessions?.put(cost.key, session, nowMs);
      users?.release(cost.key, nowMs);
    }
    cost.stored.close(nowMs);
  }
}

interface Scopes {
  readonly sessions: RememberedBuckets | undefined;
  readonly users: SharedBuckets | undefined;
  readonly namespaces: NamespaceBuckets | undefined;
}

interface StoredScopes {
  readonly users: SharedBuckets | undefined;
  readonly own: TokenBucket | undefined;
}

interface SessionCostParts {
  readonly key: string;
  readonly clock: FrameClock;
  readonly calls: Budget;
  readonly bytesOut: Budget;
  readonly scopes: ReadonlyMap<string, StoredScopes>;
  readonly maxRooms: number;
  readonly used: Usage;
}

/** The remaining cost budget of one session. */
export class SessionCost {
  readonly key: string;
  readonly clock: FrameClock;
  readonly calls: Budget;
  /** Answers and replays; messages to the members of a room are charged to the room. */
  readonly bytesOut: Budget;
  readonly stored: SessionStoredBytes;

  constructor(parts: SessionCostParts) {
    this.key = parts.key;
    this.clock = parts.clock;
    this.calls = parts.calls;
    this.bytesOut = parts.bytesOut;
    this.stored = new SessionStoredBytes(parts);
  }
}

/** The bytes that a session has stored in a room within the history's time to live. */
interface Filled {
  readonly endsAtMs: number;
  messages: number;
}

class SessionStoredBytes {
  readonly #parts: SessionCostParts;
  readonly #budgets = new Map<string, Budget>();
  /** In the order of their beginning; not more rooms than a session may be in. */
  readonly #filled = new Map<string, Filled>();

  constructor(parts: SessionCostParts) {
    this.#parts = parts;
  }

  /**
   * Takes the bytes of a message for the time that the history keeps it. A room whose history the session has filled costs no
   * more until the time to live is over: there each message displaces an older one.
   * @throws {LimitExceeded} `RATE_LIMITED`, where nothing is left
   */
  spend(room: string, { size, ttlMs }: { readonly size: number; readonly ttlMs: number }, bytes: number): void {
    const { nowMs } = this.#parts.clock;
    let filled = this.#filled.get(room);
    if (filled !== undefined && filled.endsAtMs > nowMs && filled.messages >= size) return;
    this.#budget(namespaceOf(room)).spend(bytes, room);
    if (filled === undefined || filled.endsAtMs <= nowMs) {
      this.#filled.delete(room);
      filled = { endsAtMs: nowMs + ttlMs, messages: 0 };
      this.#filled.set(room, filled);
      const [oldest] = this.#filled.keys();
      if (this.#filled.size > this.#parts.maxRooms && oldest !== undefined) this.#filled.delete(oldest);
    }
    filled.messages++;
  }

  close(nowMs: number): void {
    for (const namespace of this.#budgets.keys())
      this.#parts.scopes.get(namespace)?.users?.release(this.#parts.key, nowMs);
  }

  #budget(namespace: string): Budget {
    let budget = this.#budgets.get(namespace);
    if (budget === undefined) {
      const { scopes, key, clock, used } = this.#parts;
      const { users, own } = scopes.get(namespace) ?? {};
      const user = users?.hold(key, clock.nowMs);
      budget = new Budget({ resource: 'stored_bytes', clock, user, namespaces: own && (() => own), used });
      this.#budgets.set(namespace, budget);
    }
    return budget;
  }
}

/** `undefined`: no limit. */
function rateOf(perSecond: number, burst: number): Rate | undefined {
  return perSecond === 0 ? undefined : { perSecond, burst: Math.max(1, burst) };
}

function shared(rate: Rate | undefined): SharedBuckets | undefined {
  return rate && new SharedBuckets(rate);
}

function scopesOf(
  names: readonly string[],
  session: Rate | undefined,
  user: Rate | undefined,
  namespace: Rate | undefined,
): Scopes {
  return {
    sessions: session && new RememberedBuckets(session),
    users: shared(user),
    namespaces: namespace && namespaceBuckets(names, namespace),
  };
}

function sizeOf({ sessions, users }: Scopes, nowMs: number): number {
  sessions?.forgetFull(nowMs);
  return (sessions?.size ?? 0) + (users?.size(nowMs) ?? 0);
}

function namespaceBuckets(names: readonly string[], rate: Rate): NamespaceBuckets {
  // Those who invent names share one.
  const unnamed = new TokenBucket(rate, 0);
  const named = new Map(names.map(name => [name, new TokenBucket(rate, 0)]));
  return namespace => named.get(namespace) ?? unnamed;
}
