/** Detects that an edge is gone although the socket reports nothing (browsers show no protocol pings), and that the network changed. */

export interface HeartbeatPorts {
  ping(): void;
  /** Nothing was heard for too long. Called once; the heartbeat has stopped. */
  dead(): void;
}

export interface HeartbeatPolicy {
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
}

/** Pings after a silence, and wants any sign of life after the ping. */
export class Heartbeat {
  readonly #policy: HeartbeatPolicy;
  readonly #ports: HeartbeatPorts;
  /** `undefined` while it is stopped. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heardAtMs = 0;
  /** A ping is out and nothing was heard since. */
  #doubting = false;

  constructor(policy: HeartbeatPolicy, ports: HeartbeatPorts) {
    this.#policy = policy;
    this.#ports = ports;
  }

  start(): void {
    this.heard();
    this.#listenFor(this.#policy.heartbeatIntervalMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Anything arrived. Only remembers when: no timer is set per frame. */
  heard(): void {
    this.#heardAtMs = performance.now();
    this.#doubting = false;
  }

  /** Asks now instead of after a silence: the network changed, or somebody doubts. */
  probe(): void {
    // A second question must not postpone the verdict on the first.
    if (!this.#timer || this.#doubting) return;
    this.#doubting = true;
    this.#ports.ping();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (!this.#doubting) return this.#listenFor(this.#quietUntilPingMs());
      this.stop();
      this.#ports.dead();
    }, this.#policy.heartbeatTimeoutMs);
  }

  #listenFor(delayMs: number): void {
    this.#timer = setTimeout(() => {
      const restMs = this.#quietUntilPingMs();
      if (restMs > 0) this.#listenFor(restMs);
      else this.probe();
    }, delayMs);
  }

  #quietUntilPingMs(): number {
    return this.#heardAtMs + this.#policy.heartbeatIntervalMs - performance.now();
  }
}

type NetworkListener = (event: { readonly type: string }) => void;

interface NetworkScope {
  addEventListener?: (type: string, listener: NetworkListener) => void;
  removeEventListener?: (type: string, listener: NetworkListener) => void;
}

/** Reports that a page or worker went online or offline; other platforms report nothing. Returns what stops it. */
export function watchNetwork(changed: (isOnline: boolean) => void): () => void {
  const scope = globalThis as NetworkScope;
  const types = ['online', 'offline'];
  const listener: NetworkListener = ({ type }) => changed(type === 'online');
  for (const type of types) scope.addEventListener?.(type, listener);
  return () => {
    for (const type of types) scope.removeEventListener?.(type, listener);
  };
}
