/** Times that an edge's event loop and its lease thread share, in whole milliseconds of `process.hrtime`. */

const TURNED = 0;
const RENEWED = 1;
const RENEWALS = 2;
const FIELDS = 3;

export class LeaseTimes {
  readonly shared: SharedArrayBuffer;
  readonly #fields: BigInt64Array;

  constructor(shared = new SharedArrayBuffer(FIELDS * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.#fields = new BigInt64Array(shared);
  }

  /** When the event loop turned last. */
  get turnedAtMs(): number {
    return Number(Atomics.load(this.#fields, TURNED));
  }

  /** When either of the two renewed the lease last. */
  get renewedAtMs(): number {
    return Number(Atomics.load(this.#fields, RENEWED));
  }

  /** Renewals by the thread. */
  get renewals(): number {
    return Number(Atomics.load(this.#fields, RENEWALS));
  }

  noteTurn(atMs: number): void {
    Atomics.store(this.#fields, TURNED, BigInt(atMs));
  }

  noteRenewal(atMs: number): void {
    Atomics.store(this.#fields, RENEWED, BigInt(atMs));
  }

  countRenewal(): void {
    Atomics.add(this.#fields, RENEWALS, 1n);
  }
}

/** A clock that all threads of the process share; `performance.now()` begins at 0 in each. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
