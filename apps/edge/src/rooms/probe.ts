/** The self-probe of one server: a write and a message through Redis and back, the only proof that it works (invariant 10). */
import type { Broker } from '@hubbub/broker';
import { encodeEnvelope } from '@hubbub/protocol';

export interface ProbeOptions {
  readonly intervalMs: number;
  /**
   * Without a returned probe for this time: not ready. Without any message for this time: deaf, and the subscription is
   * rebuilt.
   */
  readonly timeoutMs: number;
  readonly onRoundTrip: (durationMs: number) => void;
  readonly onDeaf: () => void;
  /** Numbers the probes of all servers. */
  readonly nextNumber: () => number;
}

const NO_BODY = new Uint8Array(0);
/** A busy edge hears its probes late. While other messages arrive, it may hear them this many timeouts late. */
const BUSY_TIMEOUTS = 4;

export class Probe {
  readonly #broker: Broker;
  readonly #server: string;
  readonly #channel: string;
  readonly #options: ProbeOptions;
  #timer: NodeJS.Timeout | undefined;
  /** The send time of each pending probe, by its number. Bounded by timeout / interval. */
  readonly #sentAtMs = new Map<number, number>();
  #heardAtMs: number | undefined;
  #refusal: string | undefined;
  #arrivals = 0;
  #arrivalsAtTick = 0;
  #tickedAtMs = 0;
  /** Whether nothing at all arrived between the last two ticks, as far as this process could have noticed. */
  #isSilent = false;
  /** For how long that has been so. */
  #silentMs = 0;

  /** @param channel one that the server carries, and that is subscribed */
  constructor(broker: Broker, { server, channel }: { server: string; channel: string }, options: ProbeOptions) {
    this.#broker = broker;
    this.#server = server;
    this.#channel = channel;
    this.#options = options;
  }

  /**
   * Whether a probe has returned within the timeout, or within four of them while other messages arrive. One load makes all
   * edges late: if lateness alone were deafness, all would turn red together.
   */
  get hears(): boolean {
    if (this.#heardAtMs === undefined) return false;
    const patience = this.#isSilent ? 1 : BUSY_TIMEOUTS;
    return performance.now() - this.#heardAtMs < patience * this.#options.timeoutMs;
  }

  /** Why the broker refused the last probe; `undefined` where it did not. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  start(): void {
    this.#tickedAtMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), this.#options.intervalMs);
    this.#send();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Anything came from the broker. */
  arrived(): void {
    this.#arrivals++;
  }

  /** The subscription was restored after a break: the silence before it does not count. */
  restored(): void {
    this.#silentMs = 0;
    this.#tickedAtMs = performance.now();
  }

  /** Takes a returned probe. */
  heard(number: number): void {
    const sentAtMs = this.#sentAtMs.get(number);
    if (sentAtMs === undefined) return; // From before a pause, or somebody else's.
    this.#heardAtMs = performance.now();
    this.#options.onRoundTrip(this.#heardAtMs - sentAtMs);
    for (const sent of this.#sentAtMs.keys()) if (sent <= number) this.#sentAtMs.delete(sent);
  }

  #tick(): void {
    const now = performance.now();
    const sinceTickMs = now - this.#tickedAtMs;
    this.#tickedAtMs = now;
    // An overloaded edge is late and not deaf: while anything arrives, rebuilding would lose what is on its way. And what
    // a process that was stopped, or busy, did not hear may wait for it in the socket.
    const wasStalled = sinceTickMs > 2 * this.#options.intervalMs;
    this.#isSilent = this.#arrivals === this.#arrivalsAtTick && !wasStalled;
    this.#silentMs = this.#isSilent ? this.#silentMs + sinceTickMs : 0;
    this.#arrivalsAtTick = this.#arrivals;
    if (this.#silentMs >= this.#options.timeoutMs) {
      this.#silentMs = 0;
      this.#sentAtMs.clear();
      this.#options.onDeaf();
      void this.#broker.rebuild(this.#server);
    }
    this.#send();
  }

  #send(): void {
    const number = this.#options.nextNumber();
    this.#sentAtMs.set(number, performance.now());
    const probe = encodeEnvelope({ encoding: 'json', publishedAtMs: Date.now(), probe: number }, NO_BODY);
    this.#broker.probe(this.#channel, probe).then(
      () => {
        this.#refusal = undefined;
      },
      // Silence follows, and silence is what the probe is about.
      (error: Error) => {
        this.#refusal = error.message;
      },
    );
  }
}
