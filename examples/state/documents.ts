/** What a service remembers: JSON documents that change atomically and end by themselves. */

/** Anything that JSON carries. */
export type Document = Readonly<Record<string, unknown>>;

/**
 * Guarantees, tried by `test/documents.test.ts` on both implementations:
 * - **Atomic.** Of two updates of one document, by whichever instance, one sees the other's outcome.
 * - **Short-lived.** A document that is not updated for `ttlMs` is gone.
 */
export interface Documents {
  read<Of extends Document>(key: string): Promise<Of | undefined>;

  /**
   * Replaces the document by what `change` makes of it; `undefined` deletes it. `change` may be called several times, each
   * time with what is there then: it must have no effects of its own, and give the same when it is repeated. What it
   * throws is thrown, and nothing changes.
   * @returns what is there afterwards
   * @example const room = await documents.update<Room>('room:7', room => ({ ...(room ?? newRoom()), open: true }));
   */
  update<Of extends Document>(
    key: string,
    change: (document: Of | undefined) => Of | undefined,
  ): Promise<Of | undefined>;

  close(): void;
}
