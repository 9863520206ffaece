/** The broker between processes: publish and subscribe, with the guarantees that the rest of Hubbub builds on. */

/**
 * Carries envelopes between processes.
 *
 * Guarantees, tested by `test/broker-conformance.ts` on every implementation:
 * - **Order.** Envelopes on one channel reach every subscriber in one order; those of one publisher in the order of its calls.
 *   Channels of one server have one order together; channels of several servers have none between them.
 * - **At most once.** An envelope is delivered once or, when a connection breaks, not at all. Possible losses are
 *   reported by `onInterruption`, never repeated by the broker.
 * - **Confirmed.** Envelopes published after `subscribe` resolved are delivered. A publisher that subscribes gets its own.
 * - **Kept.** An envelope of `publishKept` is also delivered to a subscriber whose connection was broken meanwhile, once, after the
 *   channel is confirmed again. About the newest 10,000 of a channel are kept, 10 minutes after its last one.
 * - **Once.** However often an envelope is published under one idempotency key, it is delivered as if it had been published once.
 * - **Isolation.** Only subscribed channels are delivered.
 */
export interface Broker {
  /**
   * Resolves when the broker has taken the envelope.
   * @throws {HubbubError} `UNAVAILABLE`: not published; `OUTCOME_UNKNOWN`: the envelope may or may not be delivered.
   */
  publish(channel: string, envelope: Uint8Array): Promise<void>;

  /**
   * As `publish`, but a key that was used on the channel within `IDEMPOTENCY_WINDOW_MS` publishes nothing: so that a retry
   * after `OUTCOME_UNKNOWN` never doubles it.
   */
  publishOnce(channel: string, envelope: Uint8Array, idempotencyKey: string): Promise<PublishedOnce>;

  /** As `publish`, or as `publishOnce` where there is a key; and kept for subscribers whose connection is broken. */
  publishKept(channel: string, envelope: Uint8Array, idempotencyKey?: string): Promise<PublishedOnce>;

  /**
   * As `publish`, but only if the broker takes writes and runs scripts, too. Call it regularly on a channel that is subscribed:
   * envelopes that it confirms are not read again after a break.
   * @throws {HubbubError} `UNAVAILABLE`, with the reason in the message
   */
  probe(channel: string, envelope: Uint8Array): Promise<void>;

  /**
   * Resolves when the subscription is confirmed. Subscribing twice is one subscription.
   * @throws {HubbubError} `UNAVAILABLE`; the channel is then not subscribed.
   */
  subscribe(channel: string): Promise<void>;

  /** Resolves when no further envelope of the channel will be delivered. Never rejects: a lost connection unsubscribes too. */
  unsubscribe(channel: string): Promise<void>;

  /** The servers that carry the channels, by name. Their number may change. */
  readonly servers: readonly string[];

  /** The server that carries a channel; `undefined` while that is unknown. */
  serverOf(channel: string): string | undefined;

  /** The one listener for envelopes. It must not throw; the bytes are its own to keep. */
  onEnvelope(listener: (channel: string, envelope: Uint8Array, server: string) => void): void;

  /**
   * The one listener for breaks: called when all channels of a server are subscribed again after a break during which envelopes
   * may have been lost.
   */
  onInterruption(listener: (interruption: Interruption) => void): void;

  /**
   * Whether a break of this channel's subscription was noticed and not yet repaired: envelopes published now may be missed.
   * `subscribe` confirms the channel again before that.
   */
  isInterrupted(channel: string): boolean;

  /** Drops every subscription at a server and subscribes again: for a live connection that turns out to be deaf. */
  rebuild(server: string): Promise<void>;

  /** Ends all connections. Pending publishes reject with `UNAVAILABLE`. */
  close(): Promise<void>;
}

export interface PublishedOnce {
  /** The key was known, and nothing was published. */
  readonly repeated: boolean;
}

export interface Interruption {
  readonly server: string;
  /** Channels that were subscribed throughout and may have missed envelopes. */
  readonly channels: readonly string[];
  /** From the break to the last confirmed subscription. */
  readonly durationMs: number;
}
