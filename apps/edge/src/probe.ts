/** The self-probe: a message through Redis and back, the only proof that this edge hears what is published (invariant 10). */
import type { Broker } from '@hubbub/broker';
import { encodeEnvelope } from '@hubbub/protocol';

export interface ProbeOptions {
  readonly intervalMs: number;
  /** Silence for so long is deafness: not ready, and the subscription is rebuilt. */
  readonly timeoutMs: number;
  readonly onRoundTrip: (durationMs: number) => void;
  readonly onDeaf: () => void;
}

const NO_BODY = new Uint8Array(0);

export class Probe {
  readonly #broker: Broker;
  readonly #channel: string;
  readonly #options: ProbeOptions;
  #timer: NodeJS.Timeout | undefined;
  #number = 0;
  /** When each probe under way left, by its number. Bounded by timeout / interval. */
  readonly #sentAtMs = new Map<number, number>();
  #heardAtMs: number | undefined;
  #rebuiltAtMs = 0;

  constructor(broker: Broker, channel: string, options: ProbeOptions) {
    this.#broker = broker;
    this.#channel = channel;
    this.#options = options;
  }

  /** Whether a probe has come back within the timeout. */
  get hears(): boolean {
    return this.#heardAtMs !== undefined && performance.now() - this.#heardAtMs < this.#options.timeoutMs;
  }

  start(): void {
    this.#rebuiltAtMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), this.#options.intervalMs);
    this.#send();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** A probe came back. */
  heard(number: number): void {
    const sentAtMs = this.#sentAtMs.get(number);
    if (sentAtMs === undefined) return; // From before a pause, or somebody else's.
    this.#heardAtMs = performance.now();
    this.#options.onRoundTrip(this.#heardAtMs - sentAtMs);
    for (const sent of this.#sentAtMs.keys()) if (sent <= number) this.#sentAtMs.delete(sent);
  }

  #tick(): void {
    const now = performance.now();
    const silentMs = now - Math.max(this.#heardAtMs ?? 0, this.#rebuiltAtMs);
    if (silentMs >= this.#options.timeoutMs) {
      this.#rebuiltAtMs = now;
      this.#sentAtMs.clear();
      this.#options.onDeaf();
      void this.#broker.rebuild();
    }
    this.#send();
  }

  #send(): void {
    this.#number++;
    this.#sentAtMs.set(this.#number, performance.now());
    const probe = encodeEnvelope({ encoding: 'json', publishedAtMs: Date.now(), probe: this.#number }, NO_BODY);
    // A failed publish is silence, and silence is what the probe is about.
    this.#broker.publish(this.#channel, probe).catch(() => {});
  }
}
