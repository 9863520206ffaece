/**
 * A bare WebSocket client for stories: it knows only frames, so that it can do what the SDK never does. It uses `ws` for TLS and
 * refused upgrades; the raw sockets of the kit have neither, and are for load and for wrong bytes.
 */
import { randomUUID } from 'node:crypto';
import type { Encoding, Frame } from '@hubbub/protocol';
import { type Match, PATIENCE_MS } from '@hubbub/tools/kit';
import { Decoder, Encoder } from '@msgpack/msgpack';
import { WebSocket } from 'ws';
import { cleanup } from './cleanup.js';
import { Inbox } from './inbox.js';

export interface ConnectOptions {
  /** The name of this client in errors. Default: `client`. */
  readonly name?: string;
  readonly token?: string;
  /** The place of the token. Default: `header`. */
  readonly tokenIn?: 'header' | 'subprotocol' | 'query';
  /** Default: `json`. */
  readonly encoding?: Encoding;
  readonly headers?: Readonly<Record<string, string>>;
  /** Offered instead of the encoding's own; `[]` offers none. */
  readonly subprotocols?: readonly string[];
  /** The local address: any of 127.0.0.0/8. */
  readonly localAddress?: string;
  /** Certificates (PEM) to trust, for `wss:`. */
  readonly ca?: string;
  /** The required name of the certificate, also sent by SNI. Otherwise a client of an address sends no name. */
  readonly servername?: string;
}

export interface Closing {
  readonly code: number;
  readonly reason: string;
}

export interface RefusedUpgrade {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Thrown by `connect` if the edge answers the upgrade with an HTTP status. */
export class UpgradeRefused extends Error {
  constructor(
    name: string,
    readonly refusal: RefusedUpgrade,
  ) {
    super(`${name} was refused with ${refusal.status}: ${refusal.body}`);
  }
}

const encoder = new Encoder({ ignoreUndefined: true });
const decoder = new Decoder();

export class RawClient {
  /** Every frame received, in order, including those already taken by `nextFrame`. */
  readonly frames: readonly Frame[];
  readonly closed: Promise<Closing>;
  readonly #inbox: Inbox;

  constructor(
    readonly name: string,
    readonly encoding: Encoding,
    /** For operations that this class lacks. */
    readonly socket: WebSocket,
  ) {
    this.#inbox = new Inbox(name);
    this.frames = this.#inbox.all;
    this.closed = new Promise(resolve => {
      socket.once('close', (code, reason) => {
        this.#inbox.end(`the connection was closed with ${code} ${reason}`);
        resolve({ code, reason: String(reason) });
      });
    });
    socket.on('error', () => {}); // `close` follows, with its code.
    socket.on('message', (data: Buffer, isBinary) => this.#inbox.add(this.#decode(data, isBinary)));
  }

  /** The subprotocol that the edge chose, or empty. */
  get subprotocol(): string {
    return this.socket.protocol;
  }

  send(frame: object): void {
    this.sendRaw(this.encoding === 'json' ? JSON.stringify(frame) : encoder.encode(frame));
  }

  /** Sends text as a text frame and bytes as a binary one. `binary` overrides this, as for invalid UTF-8 in a text frame. */
  sendRaw(data: string | Uint8Array, { binary = typeof data !== 'string' } = {}): void {
    this.socket.send(data, { binary });
  }

  /** Sends the frame with a unique `id`, and takes the frame that answers it: `ack`, `pong`, `error`, … */
  async ask(frame: object, options?: { readonly withinMs?: number }): Promise<Frame> {
    const id = randomUUID();
    this.send({ ...frame, id });
    return await this.nextFrame({ id }, options);
  }

  /** Joins and returns when the edge has confirmed it. */
  async join(room: string): Promise<void> {
    const answer = await this.ask({ type: 'join_room', payload: { room_id: room } });
    if (answer.type !== 'ack') throw new Error(`${this.name} may not join ${room}: ${JSON.stringify(answer)}`);
  }

  /**
   * Takes the oldest untaken frame that matches, or waits for one.
   *
   * @example
   * await bob.nextFrame({ type: 'new_message', payload: { content: 'hi' } }, { withinMs: 2000 });
   */
  nextFrame(match: Match<Frame>, { withinMs = PATIENCE_MS }: { readonly withinMs?: number } = {}): Promise<Frame> {
    return this.#inbox.take(match, withinMs);
  }

  /**
   * Proves without a timer that no matching frame is pending: the edge answers in order, so pending frames precede its
   * `pong`. Frames still on the broker do not. For these, pass a `barrier` that takes the same path later, such as a later
   * message in the same room.
   */
  async noFrame(match: Match<Frame>, barrier: () => Promise<unknown> = () => this.ping()): Promise<void> {
    await barrier();
    this.#inbox.expectNone(match);
  }

  async ping(): Promise<void> {
    await this.ask({ type: 'ping' });
  }

  /** Stops reading from the TCP connection: a slow reader. */
  pauseReading(): void {
    this.socket.pause();
  }

  resumeReading(): void {
    this.socket.resume();
  }

  async close(code = 1000): Promise<Closing> {
    this.socket.close(code);
    return await this.closed;
  }

  /** Ends the TCP connection silently, as a lost network does. */
  async terminate(): Promise<Closing> {
    this.socket.terminate();
    return await this.closed;
  }

  /** A malformed frame, or one of the wrong kind, becomes a frame that no test expects. */
  #decode(data: Buffer, isBinary: boolean): Frame {
    try {
      if (isBinary !== (this.encoding === 'msgpack')) throw new Error(`a ${isBinary ? 'binary' : 'text'} frame`);
      return (isBinary ? decoder.decode(data) : JSON.parse(data.toString())) as Frame;
    } catch (error) {
      return { type: 'UNREADABLE', payload: { reason: String(error), bytes: data.toString('latin1') } };
    }
  }
}

/**
 * Opens a session. It ends with the test, or with the file if opened in `beforeAll`.
 * @throws {UpgradeRefused} if the edge answers with an HTTP status.
 *
 * @example
 * const alice = await connect(edge.wsUrl, { name: 'alice', token, encoding: 'msgpack' });
 */
export function connect(url: string, options: ConnectOptions = {}): Promise<RawClient> {
  const { name = 'client', encoding = 'json' } = options;
  const { address, offers, headers } = request(url, options);
  const { localAddress, ca, servername } = options;
  const socket = new WebSocket(address, offers, {
    headers,
    perMessageDeflate: false,
    ...(localAddress !== undefined && { localAddress }),
    ...(ca !== undefined && { ca }),
    ...(servername !== undefined && { servername }),
  });
  const client = new RawClient(name, encoding, socket);
  cleanup(() => socket.terminate());
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(client));
    socket.once('error', reject);
    socket.once('unexpected-response', async (request, response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      request.destroy();
      reject(new UpgradeRefused(name, { status: response.statusCode ?? 0, body, headers: response.headers }));
    });
  });
}

/** Requests an upgrade that must be refused, and returns the HTTP answer. */
export async function connectRefused(url: string, options: ConnectOptions = {}): Promise<RefusedUpgrade> {
  let client: RawClient;
  try {
    client = await connect(url, options);
  } catch (error) {
    if (error instanceof UpgradeRefused) return error.refusal;
    throw error;
  }
  await client.terminate();
  throw new Error(`${client.name} was to be refused, but got a session.`);
}

function request(url: string, { token, tokenIn = 'header', encoding = 'json', ...rest }: ConnectOptions) {
  const address = new URL(url);
  const offers = [...(rest.subprotocols ?? [`hubbub.v1.${encoding}`])];
  const headers: Record<string, string> = { ...rest.headers };
  if (token !== undefined && tokenIn === 'header') headers.authorization = `Bearer ${token}`;
  if (token !== undefined && tokenIn === 'subprotocol') offers.push(`bearer.${token}`);
  if (token !== undefined && tokenIn === 'query') address.searchParams.set('token', token);
  return { address, offers, headers };
}
