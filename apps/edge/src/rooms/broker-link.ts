/** Links an edge to the broker: its own subscriptions, a self-probe for each server, and the repair after a break. */
import type { Broker, Interest } from '@hubbub/broker';
import type { Config } from '@hubbub/config';
import type { Channels } from '@hubbub/protocol';
import type { EdgeMetrics } from '../metrics.js';
import { Probe } from './probe.js';

const RETRY_AFTER_MS = 250;
/** Names to try for the channel of a probe: with 1,000 servers the last one is missed once in 10^43 times. */
const PROBE_NAMES = 100_000;

export interface BrokerLinkParts {
  readonly broker: Broker;
  readonly interest: Interest;
  readonly channels: Channels;
  readonly metrics: Pick<EdgeMetrics, 'probeReturned' | 'deaf' | 'interrupted'>;
  /** Takes envelopes of the subscribed channels. */
  readonly receive: (channel: string, bytes: Uint8Array) => void;
  /** The subscription of these channels broke and is restored. */
  readonly repair: (channels: readonly string[]) => void;
}

interface Probed {
  readonly channel: string;
  readonly probe: Probe;
}

export class BrokerLink {
  readonly #config: Config;
  readonly #parts: BrokerLinkParts;
  readonly #probes = new Map<string, Probed>();
  readonly #serverTimer: NodeJS.Timeout;
  /** Channels that the edge needs as long as it lives, and that are not subscribed yet. */
  readonly #missing: Set<string>;
  #retryTimer: NodeJS.Timeout | undefined;
  #number = 0;

  constructor(config: Config, parts: BrokerLinkParts) {
    const { broker, channels, metrics, receive, repair } = parts;
    this.#config = config;
    this.#parts = parts;
    this.#missing = new Set([channels.broadcast, channels.node(config.nodeId)]);
    broker.onEnvelope((channel, bytes, server) => {
      this.#probes.get(server)?.probe.arrived();
      receive(channel, bytes);
    });
    broker.onInterruption(({ server, channels: broken, durationMs }) => {
      metrics.interrupted(server, broken.length, durationMs);
      this.#probes.get(server)?.probe.restored();
      repair(broken);
    });
    this.#serverTimer = setInterval(() => this.#followServers(), config.probeIntervalMs);
    this.#followServers();
    void this.#subscribe();
  }

  /** Server → whether its probe returned in time. */
  get servers(): ReadonlyMap<string, boolean> {
    return new Map(Array.from(this.#probes, ([server, { probe }]) => [server, probe.hears]));
  }

  /**
   * The checks of the broker for `/readyz`. A server that takes this edge's probes and does not bring them back makes it red. A
   * server that refuses them is down for every edge: its rooms wait, and the edge stays green for the others.
   */
  get checks(): { readonly ready: boolean; readonly broker: string; readonly subscriptions: string } {
    const probes = [...this.#probes].map(([server, { probe }]) => ({ server, probe }));
    const silent = probes.filter(({ probe }) => !probe.hears);
    const isDeaf = silent.some(({ probe }) => probe.refusal === undefined);
    const ready = silent.length < probes.length && !isDeaf;
    const isSubscribed = this.#missing.size === 0;
    const silence = silent.map(({ server, probe: { refusal } }) => {
      const what =
        probes.length > 1 ? `the self-probe through ${server} does not return` : 'the self-probe does not return';
      return refusal === undefined ? what : `${what}: ${refusal}`;
    });
    return {
      ready: ready && isSubscribed,
      broker:
        silent.length === 0 && probes.length > 0
          ? 'the self-probe returned'
          : silence.join('; ') || 'no server is known',
      subscriptions: isSubscribed ? 'confirmed' : 'not confirmed',
    };
  }

  /** The echo of a self-probe came. */
  probeReturned(number: number): void {
    for (const { probe } of this.#probes.values()) probe.heard(number);
  }

  close(): void {
    clearInterval(this.#serverTimer);
    for (const { probe } of this.#probes.values()) probe.close();
    this.#missing.clear();
    clearTimeout(this.#retryTimer);
  }

  /** Begins and ends probes as servers come and go, or as the channel of a probe moves to another one. */
  #followServers(): void {
    const { broker, interest } = this.#parts;
    for (const [server, { channel, probe }] of this.#probes) {
      if (broker.servers.includes(server) && broker.serverOf(channel) === server) continue;
      probe.close();
      this.#probes.delete(server);
      if (this.#missing.delete(channel) || channel === this.#ownChannel) continue;
      interest.release(channel);
    }
    for (const server of broker.servers) {
      if (this.#probes.has(server)) continue;
      const channel = this.#probeChannel(server);
      if (channel !== undefined) this.#begin(server, channel);
    }
  }

  #begin(server: string, channel: string): void {
    const { broker, metrics } = this.#parts;
    const { probeIntervalMs: intervalMs, probeTimeoutMs: timeoutMs } = this.#config;
    const probe = new Probe(
      broker,
      { server, channel },
      {
        intervalMs,
        timeoutMs,
        onRoundTrip: metrics.probeReturned,
        onDeaf: () => metrics.deaf(server),
        nextNumber: () => ++this.#number,
      },
    );
    this.#probes.set(server, { channel, probe });
    if (channel !== this.#ownChannel) {
      this.#missing.add(channel);
      void this.#subscribe();
    }
    probe.start();
  }

  get #ownChannel(): string {
    return this.#parts.channels.node(this.#config.nodeId);
  }

  /** A channel of this node that the server carries. A node's id has no slash. */
  #probeChannel(server: string): string | undefined {
    const { broker, channels } = this.#parts;
    if (broker.serverOf(this.#ownChannel) === server) return this.#ownChannel;
    for (let name = 1; name <= PROBE_NAMES; name++) {
      const channel = channels.node(`${this.#config.nodeId}/${name}`);
      if (broker.serverOf(channel) === server) return channel;
    }
    return undefined;
  }

  /** Never rejects: while Redis is away `/readyz` is red. */
  async #subscribe(): Promise<void> {
    clearTimeout(this.#retryTimer);
    const { interest } = this.#parts;
    const acquire = async (channel: string): Promise<void> => {
      await interest.acquire(channel);
      // Not needed any more, or acquired twice.
      if (!this.#missing.delete(channel)) interest.release(channel);
    };
    await Promise.allSettled([...this.#missing].map(acquire));
    if (this.#missing.size > 0) this.#retryTimer = setTimeout(() => void this.#subscribe(), RETRY_AFTER_MS);
  }
}
