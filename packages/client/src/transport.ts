/** The socket that a connection needs, and one attempt to open it. `#transport` picks the socket of browsers or of Node. */
import { CLOSE_NORMAL, type Encoding, type HubbubError, offerSubprotocols } from '@hubbub/protocol';
import { asHubbubError, type Closing } from './errors.js';
import type { TokenSource } from './token.js';
import type { Wire } from './wire.js';

/** Hears of one socket. `closed` is called once and is the last call. */
export interface TransportListener {
  opened(): void;
  /** Text frames arrive as strings, binary ones as bytes. */
  received(data: string | Uint8Array): void;
  closed(closing: Closing): void;
}

/** The kind of connection that has the frames. */
export type TransportKind = 'websocket' | 'events';

/** One socket. */
export interface Transport {
  /** Default: `websocket`. */
  readonly kind?: TransportKind;
  /** May lose the data silently if the socket is not open; then `closed` follows. */
  send(data: string | Uint8Array): void;
  /** Begins to close; does nothing when that has begun. */
  close(code: number, reason: string): void;
}

export interface TransportRequest {
  /** `ws:` or `wss:`, absolute. */
  readonly url: string;
  readonly protocols: readonly string[];
}

/** Dials. Reports failures through `listener.closed`; throws only where the request itself is malformed. */
export type OpenTransport = (request: TransportRequest, listener: TransportListener) => Transport;

export interface DialRequest {
  /** Asked at each attempt. */
  readonly url: () => string;
  readonly token: TokenSource;
  readonly encoding: Encoding;
  readonly openTransport: OpenTransport;
}

export interface DialListener extends TransportListener {
  /** The token callback failed, or no socket could be made. */
  failed(error: HubbubError): void;
}

/** The socket of one attempt. After `abandon` its listener hears nothing, whatever the socket still does. */
export class Dial {
  /** `undefined` once abandoned. */
  #listener: DialListener | undefined;
  #transport: Transport | undefined;
  /** Events that the socket reported before `openTransport` returned it: no answer could be sent yet. */
  readonly #early: (() => void)[] = [];

  constructor(request: DialRequest, listener: DialListener) {
    this.#listener = listener;
    void this.#open(request);
  }

  /** `undefined` before the token is known. */
  get kind(): TransportKind | undefined {
    return this.#transport && (this.#transport.kind ?? 'websocket');
  }

  send(wire: Wire): void {
    this.#transport?.send(wire);
  }

  abandon(reason: string): void {
    this.#listener = undefined;
    this.#transport?.close(CLOSE_NORMAL, reason);
  }

  async #open(request: DialRequest): Promise<void> {
    try {
      const token = await request.token.next();
      if (!this.#listener) return;
      request.token.use(token);
      const protocols = offerSubprotocols(request.encoding, token);
      this.#transport = request.openTransport({ url: request.url(), protocols }, this.#whileWanted());
      if (!this.#listener) this.abandon('');
      for (const report of this.#early) report();
    } catch (error) {
      this.#listener?.failed(asHubbubError(error, 'Connecting failed'));
    }
  }

  #whileWanted(): TransportListener {
    const hear = (report: () => void): void => void (this.#transport ? report() : this.#early.push(report));
    return {
      opened: () => hear(() => this.#listener?.opened()),
      received: wire => hear(() => this.#listener?.received(wire)),
      closed: closing => hear(() => this.#listener?.closed(closing)),
    };
  }
}
