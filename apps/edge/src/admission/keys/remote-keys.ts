/** The keys of a key set somewhere else: kept, read again in the background, and gone when that fails for too long. */
import { HubbubError } from '@hubbub/protocol';
import { LRUCache } from 'lru-cache';
import { KeySetUnavailable } from './fetch-key-set.js';
import { type KeySet, type KeysByKid, parseKeySet } from './key-set.js';
import type { KeySetMetrics } from './key-set-metrics.js';
import type { RsaAlgorithm, VerificationKey } from './verification-key.js';

export interface RemoteKeysOptions {
  /** Gets the text of the key set. @throws {KeySetUnavailable} */
  readonly fetch: (stop: AbortSignal) => Promise<string>;
  /** Milliseconds from one reading to the next, in the background. */
  readonly refreshMs: number;
  /** Milliseconds: a set that was read longer ago is not used. */
  readonly maxAgeMs: number;
  readonly rsaAlgorithm: RsaAlgorithm;
  readonly metrics: KeySetMetrics;
}

/** An unknown `kid` has the set read again, but not more often than every tenth of the refresh time: anybody can invent one. */
const ASKED_SHARE = 0.1;
/** Names that the set was seen not to have: the newest of them, and none that is longer than names of keys are. */
const ABSENT_MAX = 1000;
const KID_MAX_LENGTH = 256;
/** After a failure: sooner than the next refresh, and later each time. */
const RETRY_FIRST_MS = 1000;
/** Edges that were started together do not ask together. */
const JITTER = 0.1;

const NO_KEYS: readonly VerificationKey[] = [];

export class RemoteKeys {
  readonly #options: RemoteKeysOptions;
  readonly #stop = new AbortController();
  #keys: KeysByKid | undefined;
  /** Asked for before the last reading began, or lost by it, and not in the set. */
  readonly #absent = new LRUCache<string, true>({ max: ABSENT_MAX });
  /** Monotonic, as all times here: a clock that is set back makes no key live longer. */
  #readAtMs = 0;
  #underWay: Promise<void> | undefined;
  /** In a row. */
  #failures = 0;
  #askAgainAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins to read immediately. */
  constructor(options: RemoteKeysOptions) {
    this.#options = options;
    options.metrics.observe({
      keys: () => [...(this.#current?.values() ?? [])].reduce((sum, keys) => sum + keys.length, 0),
      ageSeconds: () => (this.#keys === undefined ? Number.NaN : (performance.now() - this.#readAtMs) / 1000),
    });
    void this.#read();
  }

  /**
   * The keys of this name; none where the set was read for it and has none. A promise where the set has to be read for it.
   * @throws {HubbubError} `UNAVAILABLE` where that cannot be known, because the set cannot be read, or not again so soon; or
   * rejects with it.
   */
  find(kid: string): readonly VerificationKey[] | Promise<readonly VerificationKey[]> {
    const found = this.#current?.get(kid);
    if (found !== undefined) return found;
    if (this.#underWay === undefined && performance.now() < this.#askAgainAtMs) return this.#answer(kid);
    if (this.#underWay === undefined) {
      this.#askAgainAtMs = performance.now() + this.#options.refreshMs * ASKED_SHARE;
    }
    return this.#read().then(() => {
      if (this.#failures === 0) this.#remember(kid);
      return this.#answer(kid);
    });
  }

  close(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
  }

  /** The keys while they may be used. */
  get #current(): KeysByKid | undefined {
    return performance.now() - this.#readAtMs < this.#options.maxAgeMs ? this.#keys : undefined;
  }

  #answer(kid: string): readonly VerificationKey[] {
    const found = this.#current?.get(kid);
    if (found !== undefined) return found;
    const isKnown = this.#failures === 0 && this.#current !== undefined;
    if (isKnown && this.#absent.has(kid)) return NO_KEYS;
    // The key may have been added since the set was read: a new key must not look like a forged one.
    const retryAfterMs = Math.max(RETRY_FIRST_MS, this.#askAgainAtMs - performance.now());
    throw new HubbubError('UNAVAILABLE', 'The keys of tokens cannot be read now; try again later.', { retryAfterMs });
  }

  #remember(kid: string): void {
    if (kid.length <= KID_MAX_LENGTH && this.#current?.has(kid) !== true) this.#absent.set(kid, true);
  }

  /** One reading at a time, shared by all who wait for it. Never rejects. */
  #read(): Promise<void> {
    this.#underWay ??= this.#readOnce().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #readOnce(): Promise<void> {
    const { fetch, refreshMs, rsaAlgorithm, metrics } = this.#options;
    const startedAtMs = performance.now();
    clearTimeout(this.#timer);
    let nextInMs: number;
    try {
      const { keys, skipped } = parse(await fetch(this.#stop.signal), rsaAlgorithm);
      const lost = [...(this.#keys?.keys() ?? [])];
      this.#keys = keys;
      for (const kid of lost) this.#remember(kid);
      this.#readAtMs = startedAtMs;
      this.#failures = 0;
      metrics.fetched(keys.size, skipped);
      nextInMs = refreshMs * (1 - Math.random() * JITTER);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      metrics.fetchFailed(error instanceof KeySetUnavailable ? error : new KeySetUnavailable('unreachable'));
      nextInMs = Math.min(RETRY_FIRST_MS * 2 ** this.#failures++, refreshMs * ASKED_SHARE) * (1 - Math.random() / 2);
      this.#askAgainAtMs = performance.now() + nextInMs;
    }
    if (this.#stop.signal.aborted) return;
    this.#timer = setTimeout(() => void this.#read(), nextInMs);
    this.#timer.unref();
  }
}

/** @throws {KeySetUnavailable} */
function parse(text: string, rsaAlgorithm: RsaAlgorithm): KeySet {
  try {
    return parseKeySet(text, rsaAlgorithm);
  } catch {
    throw new KeySetUnavailable('malformed'); // The message of JSON.parse quotes text of others.
  }
}
