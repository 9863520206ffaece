/** The state of a service: JSON documents that change atomically and expire by themselves. In memory here; `redis/` has the others. */

/** Anything that JSON carries. */
export type Document = Readonly<Record<string, unknown>>;

/**
 * Guarantees, tested by `test/documents.test.ts` on both implementations:
 * - **Atomic.** Of two updates of one document, by any instances, one sees the result of the other.
 * - **Short-lived.** A document that is not updated for `ttlMs` is deleted.
 */
export interface Documents {
  read<Of extends Document>(key: string): Promise<Of | undefined>;

  /**
   * Replaces the document by the result of `change`; `undefined` deletes it. `change` may run several times, each time with the
   * current document: it must have no effects of its own, and return the same when repeated. If it throws, nothing changes.
   * @returns the new document
   * @example const room = await documents.update<Room>('room:7', room => ({ ...(room ?? newRoom()), open: true }));
   */
  update<Of extends Document>(
    key: string,
    change: (document: Of | undefined) => Of | undefined,
  ): Promise<Of | undefined>;

  close(): void;
}

/** Documents of this process: for the embedded default, where hub and service are one process. */
export class MemoryDocuments implements Documents {
  readonly #ttlMs: number;
  readonly #entries = new Map<string, { text: string; end: NodeJS.Timeout }>();

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs;
  }

  async read<Of extends Document>(key: string): Promise<Of | undefined> {
    return this.#get<Of>(key);
  }

  async update<Of extends Document>(
    key: string,
    change: (document: Of | undefined) => Of | undefined,
  ): Promise<Of | undefined> {
    const next = change(this.#get<Of>(key));
    clearTimeout(this.#entries.get(key)?.end);
    this.#entries.delete(key);
    if (next === undefined) return undefined;
    const end = setTimeout(() => this.#entries.delete(key), this.#ttlMs).unref();
    // As text: a change of an object that was read does not change the document.
    this.#entries.set(key, { text: JSON.stringify(next), end });
    return this.#get<Of>(key);
  }

  close(): void {
    for (const { end } of this.#entries.values()) clearTimeout(end);
    this.#entries.clear();
  }

  #get<Of extends Document>(key: string): Of | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined ? undefined : JSON.parse(entry.text);
  }
}
