/**
 * The connection: walks the table of connection-states.ts, and owns the socket and the timers that belong to a state.
 *
 * It knows nothing of frames: its owner reports when a frame meant `welcomed`, `moveAfter` or `settled`.
 */
import type { HubbubError } from '@hubbub/protocol';
import { fullJitterMs } from './backoff.js';
import { type ConnectionEvent, type ConnectionState, hasSocket, nextState } from './connection-states.js';
import { defined } from './defined.js';
import { type Closing, closingError, isFinal, unavailable } from './errors.js';
import type { Settings } from './options.js';
import { Dial, type DialRequest, type TransportKind } from './transport.js';
import type { Wire } from './wire.js';

/** One step of the connection, as `client.on('state', …)` shows it. */
export interface StateChange {
  readonly state: ConnectionState;
  readonly previous: ConnectionState;
  /** The transport of the frames, from `opening` on. */
  readonly transport?: TransportKind;
  /** Milliseconds until the next attempt, when `state` is `waiting`. */
  readonly delayMs?: number;
  /** The close code that led here, where a socket was closed. */
  readonly closeCode?: number;
  /** Why, when `state` is `waiting`, or `closed` other than by `close()`. */
  readonly error?: HubbubError;
}

export interface ConnectionListener {
  stateChanged(change: StateChange): void;
  received(wire: Wire): void;
}

/** Why an event happened, as far as it is known. */
interface Cause {
  readonly error?: HubbubError;
  readonly closing?: Closing;
}

export class Connection {
  readonly #settings: Settings;
  readonly #dialRequest: DialRequest;
  readonly #listener: ConnectionListener;
  #state: ConnectionState = 'idle';
  readonly #steps: { readonly event: ConnectionEvent; readonly cause: Cause }[] = [];
  #stepping = false;
  #dial: Dial | undefined;
  /** Attempts since the last stable session: the exponent of the backoff. */
  #attempt = 0;
  #openedAtMs: number | undefined;
  #moveAtMs: number | undefined;
  #dialTimer: ReturnType<typeof setTimeout> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #moveTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(settings: Settings, dialRequest: DialRequest, listener: ConnectionListener) {
    this.#settings = settings;
    this.#dialRequest = dialRequest;
    this.#listener = listener;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The transport of the frames; `undefined` without a connection. */
  get transport(): TransportKind | undefined {
    return this.#dial?.kind;
  }

  /** The state after the steps that listeners have asked for. */
  get heading(): ConnectionState {
    return this.#steps.reduce((state, { event }) => nextState(state, event), this.#state);
  }

  /** The edge does not answer: it is given up. */
  lose(message: string): void {
    this.step('lost', { error: unavailable(message) });
  }

  /** The edge leaves in `delayMs` milliseconds: until then it serves, then we move; if it breaks first we wait for the rest. */
  moveAfter(delayMs: number): void {
    this.#moveAtMs = performance.now() + delayMs;
    clearTimeout(this.#moveTimer);
    this.#moveTimer = setTimeout(() => this.step('move_due'), delayMs);
  }

  /** Writes to the socket; without one the data is lost, as on a socket that is closing. */
  send(wire: Wire): void {
    this.#dial?.send(wire);
  }

  /** Each step is finished, its listeners included, before the next begins: all see the states in one order. */
  step(event: ConnectionEvent, cause: Cause = {}): void {
    this.#steps.push({ event, cause });
    if (this.#stepping) return;
    this.#stepping = true;
    try {
      for (let next = this.#steps.shift(); next !== undefined; next = this.#steps.shift()) {
        this.#transition(next.event, next.cause);
      }
    } finally {
      this.#stepping = false;
    }
  }

  #transition(event: ConnectionEvent, cause: Cause): void {
    const previous = this.#state;
    const state = nextState(previous, event);
    if (state === previous) return;
    this.#state = state;
    if (this.#wasStable()) this.#attempt = 0;
    const delayMs = state === 'waiting' ? this.#delayMs(cause.closing) : undefined;
    if (!hasSocket(state) || state === 'connecting') this.#hangUp(event);
    clearTimeout(this.#retryTimer);
    if (state === 'connecting') this.#connect(event);
    if (state === 'restoring') clearTimeout(this.#dialTimer);
    if (state === 'open') this.#openedAtMs = performance.now();
    if (delayMs !== undefined) this.#retryTimer = setTimeout(() => this.step('retry_due'), delayMs);
    const { closing, error } = cause;
    const { transport } = this;
    this.#listener.stateChanged(defined({ state, previous, transport, delayMs, closeCode: closing?.code, error }));
  }

  #connect(event: ConnectionEvent): void {
    // Somebody knows that now is different from before: a user, or a browser that is online again.
    if (event === 'connect' || event === 'network_up') this.#attempt = 0;
    const timeoutMs = this.#settings.connectTimeoutMs;
    this.#dialTimer = setTimeout(() => this.lose(`No welcome within ${timeoutMs} ms.`), timeoutMs);
    this.#dial = new Dial(this.#dialRequest, {
      opened: () => this.step('opened'),
      received: wire => this.#listener.received(wire),
      closed: closing => this.#closed(closing),
      failed: error => this.step(error.retryable ? 'lost' : 'stopped', { error }),
    });
  }

  #closed(closing: Closing): void {
    const error = closingError(closing, this.#state === 'connecting');
    this.step(isFinal(closing, error, this.#dialRequest.token.renews) ? 'stopped' : 'lost', { closing, error });
  }

  #hangUp(reason: string): void {
    clearTimeout(this.#dialTimer);
    clearTimeout(this.#moveTimer);
    this.#moveAtMs = undefined;
    this.#openedAtMs = undefined;
    this.#dial?.abandon(reason);
    this.#dial = undefined;
  }

  /** An edge that accepts sessions and drops them immediately must not be hammered: only a session that lasted counts. */
  #wasStable(): boolean {
    return this.#openedAtMs !== undefined && performance.now() - this.#openedAtMs >= this.#settings.stableAfterMs;
  }

  /** Milliseconds to wait before reconnecting: the edge's advice where it gave any, else the backoff. */
  #delayMs(closing: Closing | undefined): number {
    // The edge has spread its sessions over its drain: no jitter on top.
    if (this.#moveAtMs !== undefined) return Math.max(0, this.#moveAtMs - performance.now());
    const jitterMs = fullJitterMs(this.#attempt++, this.#settings);
    // Retry-After is one value for everybody: jitter on top.
    return (closing?.refusal?.retryAfterMs ?? 0) + jitterMs;
  }
}
