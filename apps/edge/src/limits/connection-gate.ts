/** Limits connections of an address, handshakes of the edge, and silent connections. */
import type { Config } from '@hubbub/config';
import type { Logger } from '@hubbub/runtime';
import { occasionally, TokenBucket } from '@hubbub/runtime';
import { type ConnectionBounds, REFUSED_MAX } from './descriptors.js';
import { LimitExceeded, retryAfterMs } from './limit-exceeded.js';
import type { LimitMetrics } from './limit-metrics.js';

export interface ConnectionGateOptions
  extends Pick<
    Config,
    'maxConnectionsPerAddress' | 'maxHandshakesPerSecond' | 'maxSessions' | 'trustedProxies' | 'trustedHops'
  > {
  readonly metrics: Pick<LimitMetrics, 'exceeded'>;
  readonly log: Logger;
  /** `undefined`: as many as the system lets through. */
  readonly bounds?: ConnectionBounds | undefined;
  /** A clock that never goes back. */
  readonly now?: () => number;
}

/** So that one address that connects again and again leaves room for others. */
const SHARE_OF_ONE_ADDRESS = 0.5;
const SECOND_MS = 1000;
const LOG_INTERVAL_MS = 60_000;

interface Connections {
  /** Sessions, and requests that are being judged. */
  sessions: number;
  /** No whole request yet. */
  halfOpen: number;
  /** Upgraded only to be closed with a refusal. */
  refused: number;
}

/** Holds numbers only for addresses that are connected, and for one second of admitted ones. */
export class ConnectionGate {
  readonly #options: ConnectionGateOptions;
  readonly #now: () => number;
  readonly #addresses = new Map<string, Connections>();
  readonly #handshakes: TokenBucket | undefined;
  /** Handshakes in this second, by address: no more of them than the edge takes in a second. */
  readonly #inSecond = new Map<string, number>();
  readonly #maxOfOneAddress: number;
  readonly #logTooMany: () => void;
  readonly #logOutOfDescriptors: () => void;
  readonly #logFull: () => void;
  #open = 0;
  /** Admitted connections. */
  #sessions = 0;
  #secondBeganMs = Number.NEGATIVE_INFINITY;
  #halfOpen = 0;
  #refused = 0;
  #lastAddress = '';

  constructor(options: ConnectionGateOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    const { maxHandshakesPerSecond: perSecond, maxConnectionsPerAddress, trustedProxies, trustedHops, log } = options;
    this.#handshakes = perSecond === 0 ? undefined : new TokenBucket({ perSecond, burst: perSecond }, this.#now());
    this.#maxOfOneAddress = Math.max(1, Math.ceil(perSecond * SHARE_OF_ONE_ADDRESS));
    const hint =
      trustedProxies.length > 0 || trustedHops > 0
        ? ''
        : '; if it is your proxy, set HUBBUB_TRUSTED_PROXIES so that its clients are counted separately';
    this.#logOutOfDescriptors = occasionally(LOG_INTERVAL_MS, suppressed =>
      log.warn(
        { event: 'out_of_descriptors', connections: options.bounds?.served, suppressed },
        `refused connections: this process has file descriptors for ${options.bounds?.served}; raise the limit (ulimit -n, LimitNOFILE) or start more edges`,
      ),
    );
    this.#logFull = occasionally(LOG_INTERVAL_MS, suppressed =>
      log.warn(
        { event: 'edge_full', sessions: options.maxSessions, suppressed },
        `refused connections: this edge has HUBBUB_MAX_SESSIONS (${options.maxSessions}) sessions; add edges, or memory`,
      ),
    );
    this.#logTooMany = occasionally(LOG_INTERVAL_MS, suppressed =>
      log.warn(
        { event: 'address_refused', address: this.#lastAddress, max: maxConnectionsPerAddress, suppressed },
        `${this.#lastAddress} has reached the limit of connections of an address${hint}`,
      ),
    );
  }

  /** Every connection, before anything else is asked of it. False: there is no descriptor left for it; end it, it counts until it has `ended`. */
  accepted(): boolean {
    this.#open++;
    const { bounds, metrics } = this.#options;
    if (bounds === undefined || this.#open <= bounds.open) return true;
    metrics.exceeded('descriptors');
    this.#logOutOfDescriptors();
    return false;
  }

  /** Once for each connection that was accepted. */
  ended(): void {
    this.#open--;
  }

  /** Addresses with a connection. */
  get addresses(): number {
    return this.#addresses.size;
  }

  get halfOpen(): number {
    return this.#halfOpen;
  }

  /** Counts a connection that has sent nothing yet. False: its address has too many; end it, it is not counted. */
  connected(group: string): boolean {
    const { maxConnectionsPerAddress: max, metrics } = this.#options;
    const connections = this.#of(group);
    if (max > 0 && connections.halfOpen >= max) {
      metrics.exceeded('silent_connections');
      return false;
    }
    connections.halfOpen++;
    this.#halfOpen++;
    return true;
  }

  /** It has sent a request, or ended. */
  heard(group: string): void {
    this.#halfOpen--;
    const connections = this.#of(group);
    connections.halfOpen--;
    this.#forgetIfGone(group, connections);
  }

  /**
   * A refused connection is to be upgraded and closed. False: too many of these are closing, refuse it over HTTP; it is not counted.
   * They take at most half of the descriptors that are kept for refusals, those of one address half of that.
   */
  refusing(group: string): boolean {
    const { bounds, metrics } = this.#options;
    const connections = this.#of(group);
    const max = Math.ceil((bounds === undefined ? REFUSED_MAX : bounds.open - bounds.served) / 2);
    if (connections.refused >= Math.ceil(max * SHARE_OF_ONE_ADDRESS) || this.#refused >= max) {
      metrics.exceeded('refused_upgrades');
      this.#forgetIfGone(group, connections);
      return false;
    }
    connections.refused++;
    this.#refused++;
    return true;
  }

  /** The refused connection has closed; it has `ended` as well. */
  refusalEnded(group: string): void {
    this.#refused--;
    const connections = this.#of(group);
    connections.refused--;
    this.#forgetIfGone(group, connections);
  }

  /**
   * Counts a handshake; an admitted connection ends with `release`.
   * @throws {LimitExceeded} `RATE_LIMITED`, `UNAVAILABLE`
   */
  admit(group: string): void {
    const { maxConnectionsPerAddress: max, bounds } = this.#options;
    if (bounds !== undefined && this.#open - this.#refused > bounds.served) {
      this.#logOutOfDescriptors();
      throw this.#refusal('descriptors', 'UNAVAILABLE', 'This edge has reached its limit of connections');
    }
    const { maxSessions } = this.#options;
    if (maxSessions > 0 && this.#sessions >= maxSessions) {
      this.#logFull();
      throw this.#refusal('sessions', 'UNAVAILABLE', 'This edge has reached its limit of sessions');
    }
    // The address first: what one sends above its limit is not to use up the handshakes of all.
    if (max > 0 && (this.#addresses.get(group)?.sessions ?? 0) >= max) {
      this.#lastAddress = group;
      this.#logTooMany();
      throw this.#refusal('address_connections', 'RATE_LIMITED', 'This address has reached its limit of connections');
    }
    this.#takeHandshake(group);
    this.#of(group).sessions++;
    this.#sessions++;
  }

  release(group: string): void {
    const connections = this.#of(group);
    connections.sessions--;
    this.#sessions--;
    this.#forgetIfGone(group, connections);
  }

  #takeHandshake(group: string): void {
    if (this.#handshakes === undefined) return;
    const nowMs = this.#now();
    if (nowMs - this.#secondBeganMs >= SECOND_MS) {
      this.#secondBeganMs = nowMs;
      this.#inSecond.clear();
    }
    const count = this.#inSecond.get(group) ?? 0;
    if (count >= this.#maxOfOneAddress || this.#handshakes.waitMs(nowMs) > 0) {
      throw this.#refusal('handshakes', 'RATE_LIMITED', 'Too many simultaneous handshakes');
    }
    this.#handshakes.take();
    this.#inSecond.set(group, count + 1);
  }

  #refusal(
    limit: 'address_connections' | 'descriptors' | 'sessions' | 'handshakes',
    code: 'RATE_LIMITED' | 'UNAVAILABLE',
    what: string,
  ): LimitExceeded {
    this.#options.metrics.exceeded(limit);
    const delayMs = retryAfterMs();
    return new LimitExceeded(limit, code, `${what}; try again in ${delayMs / SECOND_MS} s.`, delayMs);
  }

  #of(group: string): Connections {
    let connections = this.#addresses.get(group);
    if (connections === undefined) {
      connections = { sessions: 0, halfOpen: 0, refused: 0 };
      this.#addresses.set(group, connections);
    }
    return connections;
  }

  #forgetIfGone(group: string, { sessions, halfOpen, refused }: Connections): void {
    if (sessions + halfOpen + refused === 0) this.#addresses.delete(group);
  }
}
