/** The memory of a service: JSON documents that change atomically and end by themselves. */

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
