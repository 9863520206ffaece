/** Documents in this process: for the embedded default, where hub and service are one process. */
import type { Document, Documents } from './documents.js';

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
    // As text, so that nobody changes what is kept by changing what was read.
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
