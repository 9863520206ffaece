/** An edge without a network: sockets that a test opens, answers and breaks by hand. For use with vitest's fake timers. */
import { DEFAULT_LIMITS, type Frame } from '@hubbub/protocol';
import { vi } from 'vitest';
import { type ClientOptions, type Closing, HubbubClient, type StateChange } from '../../src/index.js';
import type { OpenTransport, Transport, TransportListener, TransportRequest } from '../../src/transport.js';

/** Frames that an edge answers by itself in `FakeSocket.answering`. */
type Answer = (frame: Frame, socket: FakeSocket) => void;

export class FakeSocket implements Transport {
  readonly request: TransportRequest;
  readonly sent: Frame[] = [];
  /** The code and reason with which the client closed it. */
  closedWith: { code: number; reason: string } | undefined;
  /** Whether the edge ended it. As with a real socket, no later frame arrives. */
  ended = false;
  /** The lifetime of tokens in the `welcome` and in the `ack` of a `refresh`. */
  lifeMs: number | undefined;
  #listener: TransportListener;
  #answer: Answer;

  constructor(request: TransportRequest, listener: TransportListener, answer: Answer) {
    this.request = request;
    this.#listener = listener;
    this.#answer = answer;
  }

  send(data: string | Uint8Array): void {
    const frame = JSON.parse(String(data)) as Frame;
    this.sent.push(frame);
    this.#answer(frame, this);
  }

  close(code: number, reason: string): void {
    this.closedWith ??= { code, reason };
  }

  open(): this {
    if (!this.ended) this.#listener.opened();
    return this;
  }

  welcome(rooms: string[] = [], limits: Partial<typeof DEFAULT_LIMITS> = {}, more: object = {}): this {
    const payload = {
      session_id: 's1',
      user: { id: 'u1', name: 'One' },
      rooms,
      limits: { ...DEFAULT_LIMITS, ...limits },
      ...(this.lifeMs !== undefined && { expires_in_ms: this.lifeMs }),
      ...more,
    };
    return this.receive({ type: 'welcome', payload });
  }

  /** As an edge does, it names the room of the payload at the top level too (PROTOCOL.md section 2.2). */
  receive(frame: Frame): this {
    const room = frame.type === 'ack' ? undefined : frame.payload?.room_id;
    return this.receiveRaw(JSON.stringify({ ...(room !== undefined && { room }), ...frame }));
  }

  receiveRaw(data: string | Uint8Array): this {
    if (!this.ended) this.#listener.received(data);
    return this;
  }

  end(code: number, more: Partial<Closing> = {}): this {
    if (!this.ended) {
      this.ended = true;
      this.#listener.closed({ code, reason: '', ...more });
    }
    return this;
  }

  sentOfType(type: string): Frame[] {
    return this.sent.filter(frame => frame.type === type);
  }
}

export const silent: Answer = () => {};

/** Answers as an edge whose broker works and that allows everything. */
export const willing: Answer = (frame, socket) => {
  const id = frame.id === undefined ? {} : { id: frame.id };
  if (frame.type === 'ping') socket.receive({ type: 'pong', ...id });
  else if (frame.type === 'resume') {
    const rooms = placesIn(frame).map(place => ({ ...place, ...(place.epoch !== undefined && { recovered: true }) }));
    socket.receive({ type: 'ack', ...id, payload: { rooms } });
  } else if (frame.type === 'refresh')
    socket.receive({ type: 'ack', ...id, payload: { expires_in_ms: socket.lifeMs } });
  else if (frame.id !== undefined) socket.receive({ type: 'ack', ...id });
};

/** The rooms of a `resume`, with their positions. */
export function placesIn(frame: Frame | undefined): { room_id: string; epoch?: string; offset?: number }[] {
  return (frame?.payload?.rooms ?? []) as { room_id: string; epoch?: string; offset?: number }[];
}

export class FakeEdge {
  readonly sockets: FakeSocket[] = [];
  answer: Answer = willing;
  /** The lifetime of tokens for the sockets dialed from now on; without it they do not expire. */
  lifeMs: number | undefined;

  readonly openTransport: OpenTransport = (request, listener) => {
    const socket = new FakeSocket(request, listener, (frame, from) => this.answer(frame, from));
    socket.lifeMs = this.lifeMs;
    this.sockets.push(socket);
    return socket;
  };

  /** The newest socket. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('the client has not connected yet');
    return socket;
  }

  client(options: Partial<ClientOptions> = {}): HubbubClient {
    return new HubbubClient({
      url: 'ws://edge.test/ws',
      token: 'a.b.c',
      openTransport: this.openTransport,
      ...options,
    });
  }

  /** A client with an open first session. */
  async openClient(options: Partial<ClientOptions> = {}): Promise<HubbubClient> {
    const client = this.client(options);
    void client.connect();
    await this.accept();
    return client;
  }

  /** Accepts the next attempt. */
  async accept(rooms: string[] = [], more: object = {}): Promise<FakeSocket> {
    await turn();
    this.socket.open().welcome(rooms, {}, more);
    await turn();
    return this.socket;
  }
}

/** Lets promises settle and timers of 0 ms fire. */
export async function turn(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

/** The current outcome of a promise: its value, its error's code, or `pending`. */
export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  const pending = Symbol('pending');
  const first = await Promise.race([
    promise.then(
      value => ({ value }),
      error => ({ code: error.code }),
    ),
    turn().then(() => pending),
  ]);
  return first === pending ? 'pending' : first;
}

/** The states that the client goes through from now on. */
export function watchStates(client: HubbubClient): StateChange[] {
  const changes: StateChange[] = [];
  client.on('state', change => changes.push(change));
  return changes;
}
