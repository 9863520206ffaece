/** The settings of namespaces that publishers need: edges announce them, services read them (docs/decisions/0004). */

/** How to publish to the rooms of a namespace. */
export interface NamespacePublishing {
  /** Messages that each room remembers; 0: its rooms have no history. */
  readonly historySize: number;
  /** Time to live of a history after its last message. */
  readonly historyTtlMs: number;
  /** Whether a message counts as published only when a replica has it. */
  readonly durable?: boolean;
}

/**
 * Guarantees, tested by `test/namespace-directory-conformance.ts` on every implementation. A lookup returns the latest
 * announcement, at most {@link NAMESPACE_MAX_AGE_MS} late. An unknown namespace counts as unconfigured.
 */
export interface NamespaceDirectory {
  /**
   * Replaces what was announced before. Every edge does so when it starts, and renews it.
   * @param namespaces by name, all that are configured
   * @throws {HubbubError} `UNAVAILABLE`
   */
  announce(namespaces: ReadonlyMap<string, NamespacePublishing>): Promise<void>;

  /** @throws {HubbubError} `UNAVAILABLE` */
  lookup(namespace: string): Promise<NamespacePublishing>;

  /** The announced namespaces, sorted. @throws {HubbubError} `UNAVAILABLE` */
  names(): Promise<readonly string[]>;
}

/** Rooms of a namespace that is not configured, and of all while no edge has announced any, have no history. */
export const UNCONFIGURED_NAMESPACE: NamespacePublishing = Object.freeze({ historySize: 0, historyTtlMs: 300_000 });

/** Edges renew every 10 minutes; an abandoned cluster's announcement expires after this time. */
export const ANNOUNCEMENT_TTL_MS = 86_400_000;

/** An answer may be so old: publishing asks for each message. */
export const NAMESPACE_MAX_AGE_MS = 10_000;
