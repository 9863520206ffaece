/** Listens to channels of a broker that has one listener for all of them. */
import type { Broker } from '@hubbub/broker';

export type ChannelListener = (bytes: Uint8Array) => void;

export class ChannelListeners {
  readonly #broker: Broker;
  readonly #byChannel = new Map<string, Set<ChannelListener>>();
  readonly #onGap = new Set<(durationMs: number) => void>();
  #isListening = false;

  /** @param broker it must not have another listener */
  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /**
   * Resolves when the subscription is confirmed; returns how to end it.
   * @param onGap called after a break in which envelopes may have been lost
   * @throws {HubbubError} `UNAVAILABLE`
   */
  async listen(channel: string, listener: ChannelListener, onGap?: (durationMs: number) => void): Promise<() => void> {
    this.#begin();
    const listeners = this.#byChannel.get(channel) ?? new Set();
    this.#byChannel.set(channel, listeners);
    listeners.add(listener);
    if (onGap !== undefined) this.#onGap.add(onGap);
    const end = (): void => {
      if (onGap !== undefined) this.#onGap.delete(onGap);
      if (!listeners.delete(listener) || listeners.size > 0) return;
      this.#byChannel.delete(channel);
      void this.#broker.unsubscribe(channel);
    };
    try {
      await this.#broker.subscribe(channel);
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  /** Not before the first call: in a process without questions the listener is another part's. */
  #begin(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#broker.onEnvelope((channel, bytes) => {
      for (const listener of this.#byChannel.get(channel) ?? []) listener(bytes);
    });
    this.#broker.onInterruption(({ durationMs }) => {
      for (const onGap of this.#onGap) onGap(durationMs);
    });
  }
}
