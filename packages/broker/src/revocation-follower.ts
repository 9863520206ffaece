/** Keeps the revocations of a cluster in memory: one read of the log each quarter of a second, whatever connects. */
import { type Revocation, revocationId } from '@hubbub/protocol';
import { type RevocationChange, type RevocationLog, WITHDRAWAL_TTL_MS } from './revocation-log.js';

/** Every edge knows a revocation within a second, even if one read is slow. */
export const REVOCATION_READ_INTERVAL_MS = 250;

/** After this long without a read, withdrawals may have been missed: the log has forgotten them. */
const FULL_READ_AFTER_MS = WITHDRAWAL_TTL_MS / 2;
/** The clocks of Redis and of this process may differ by less. */
const FORGET_AFTER_MS = 60_000;
const FORGET_INTERVAL_MS = 60_000;

export interface RevocationFollowerOptions {
  readonly log: RevocationLog;
  /** Called for each revocation that is new or has changed, before the next read. It must not throw. */
  readonly onRevoked: (revocation: Revocation) => void;
  /** Called after each read, with the error of a failed one. */
  readonly onRead?: (error: unknown) => void;
}

export class RevocationFollower {
  readonly #options: RevocationFollowerOptions;
  readonly #known = new Map<string, Revocation>();
  #epoch: string | undefined;
  #version = 0;
  #readAtMs: number | undefined;
  #forgotAtMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: RevocationFollowerOptions) {
    this.#options = options;
  }

  /** By `revocationId`. Those that ended stay for a while: check `untilMs`. */
  get known(): ReadonlyMap<string, Revocation> {
    return this.#known;
  }

  /** Milliseconds since everything was known; `undefined` before the first read. */
  get ageMs(): number | undefined {
    return this.#readAtMs === undefined ? undefined : performance.now() - this.#readAtMs;
  }

  start(): void {
    void this.#readRegularly();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #readRegularly(): Promise<void> {
    try {
      await this.#read();
      this.#options.onRead?.(undefined);
    } catch (error) {
      this.#options.onRead?.(error); // The next read is soon.
    }
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#readRegularly(), REVOCATION_READ_INTERVAL_MS);
    this.#timer.unref();
  }

  async #read(): Promise<void> {
    const startedAtMs = performance.now();
    const page = await this.#options.log.read(this.#version);
    const isSame = page.epoch === this.#epoch && page.version >= this.#version;
    if (isSame && startedAtMs - (this.#readAtMs ?? 0) < FULL_READ_AFTER_MS) {
      await this.#apply(page);
    } else {
      await this.#readAll(isSame);
    }
    if (this.#closed) return;
    this.#readAtMs = startedAtMs;
    this.#forgetEnded();
  }

  /** @param isComplete the log has lost nothing, so the revocations that it lacks were withdrawn or have ended */
  async #readAll(isComplete: boolean): Promise<void> {
    const { log } = this.#options;
    const before = [...this.#known.values()];
    const page = await log.read(0);
    const found = await this.#apply(page);
    this.#epoch = page.epoch;
    const missing = before.filter(
      revocation => !found.has(revocationId(revocation)) && revocation.untilMs > Date.now(),
    );
    if (isComplete) for (const revocation of missing) this.#known.delete(revocationId(revocation));
    // Redis returned with older data or without any. Every edge does this, and the first one succeeds.
    else if (missing.length > 0) await log.restore(missing);
  }

  /** Applies the page and those after it. Returns the ids that were on them. */
  async #apply(first: Awaited<ReturnType<RevocationLog['read']>>): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    let page = first;
    for (;;) {
      for (const change of page.changes) {
        found.add(change.id);
        this.#change(change);
      }
      if (page.next === undefined) break;
      page = await this.#options.log.read(page.next);
    }
    this.#version = page.version;
    return found;
  }

  #change({ id, revocation }: RevocationChange): void {
    if (revocation === undefined) {
      this.#known.delete(id);
      return;
    }
    const before = this.#known.get(id);
    this.#known.set(id, revocation);
    if (JSON.stringify(before) !== JSON.stringify(revocation)) this.#options.onRevoked(revocation);
  }

  #forgetEnded(): void {
    if (performance.now() - this.#forgotAtMs < FORGET_INTERVAL_MS) return;
    this.#forgotAtMs = performance.now();
    const endedMs = Date.now() - FORGET_AFTER_MS;
    for (const [id, { untilMs }] of this.#known) if (untilMs < endedMs) this.#known.delete(id);
  }
}
