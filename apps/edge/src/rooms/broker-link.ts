/** Links an edge to the broker: its own subscriptions, the self-probe, and the repair after a break. */
import type { Broker, Interest } from '@hubbub/broker';
import type { Config } from '@hubbub/config';
import type { Channels } from '@hubbub/protocol';
import type { EdgeMetrics } from '../metrics.js';
import { Probe } from './probe.js';

const RETRY_AFTER_MS = 250;

export interface BrokerLinkParts {
  readonly broker: Broker;
  readonly interest: Interest;
  readonly channels: Channels;
  readonly metrics: Pick<EdgeMetrics, 'probeReturned' | 'deaf' | 'interrupted'>;
  /** Takes what comes over the subscribed channels. */
  readonly receive: (channel: string, bytes: Uint8Array) => void;
  /** The subscription of these channels broke and is restored. */
  readonly repair: (channels: readonly string[]) => void;
}

export class BrokerLink {
  readonly #probe: Probe;
  readonly #interest: Interest;
  /** Channels that the edge needs as long as it lives, and that are not subscribed yet. */
  readonly #missing: Set<string>;
  #retryTimer: NodeJS.Timeout | undefined;

  constructor({ nodeId, probeIntervalMs: intervalMs, probeTimeoutMs: timeoutMs }: Config, parts: BrokerLinkParts) {
    const { broker, interest, channels, metrics, receive, repair } = parts;
    const nodeChannel = channels.node(nodeId);
    const probe = new Probe(broker, nodeChannel, {
      intervalMs,
      timeoutMs,
      onRoundTrip: metrics.probeReturned,
      onDeaf: metrics.deaf,
    });
    broker.onEnvelope((channel, bytes) => {
      probe.arrived();
      receive(channel, bytes);
    });
    broker.onInterruption(({ channels: broken, durationMs }) => {
      metrics.interrupted(broken.length, durationMs);
      probe.restored();
      repair(broken);
    });
    this.#probe = probe;
    this.#interest = interest;
    this.#missing = new Set([channels.broadcast, nodeChannel]);
    void this.#subscribe();
    probe.start();
  }

  /** The checks of the broker for `/readyz`. */
  get checks(): { readonly ready: boolean; readonly broker: string; readonly subscriptions: string } {
    const { hears, refusal } = this.#probe;
    const isSubscribed = this.#missing.size === 0;
    const silence =
      refusal === undefined ? 'the self-probe does not return' : `the self-probe does not return: ${refusal}`;
    return {
      ready: hears && isSubscribed,
      broker: hears ? 'the self-probe returned' : silence,
      subscriptions: isSubscribed ? 'confirmed' : 'not confirmed',
    };
  }

  /** The echo of a self-probe came. */
  probeReturned(number: number): void {
    this.#probe.heard(number);
  }

  close(): void {
    this.#probe.close();
    this.#missing.clear();
    clearTimeout(this.#retryTimer);
  }

  /** Never rejects: while Redis is away `/readyz` is red. */
  async #subscribe(): Promise<void> {
    const acquire = (channel: string) => this.#interest.acquire(channel).then(() => this.#missing.delete(channel));
    await Promise.allSettled([...this.#missing].map(acquire));
    if (this.#missing.size > 0) this.#retryTimer = setTimeout(() => void this.#subscribe(), RETRY_AFTER_MS);
  }
}
