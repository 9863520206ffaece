/** A TCP proxy as the network between two real parts: it delays, throttles, swallows and cuts. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { cleanup } from './cleanup.js';

export interface TcpProxyOptions {
  /** The target port on 127.0.0.1. */
  readonly to: number;
}

/** The conditions of the network, for both directions of open and future connections. */
export interface NetworkConditions {
  /** Added to each direction. Default 0. */
  readonly delayMs?: number;
  /** Per connection and direction. Default: unlimited. */
  readonly bytesPerSecond?: number;
  /** Bytes wait and nothing arrives, while connections stay open: a silently lost network. */
  readonly blackHole?: boolean;
}

export interface TcpProxy {
  readonly port: number;
  /** Open connections. */
  readonly connections: number;
  /** Replaces the conditions; `{}` is a perfect network. Bytes that waited in a black hole continue. */
  behave(conditions: NetworkConditions): void;
  /** Sends new connections to this port, as a balancer does; open ones stay. */
  retarget(port: number): void;
  /** Resets every open connection; accepts new ones. */
  cut(): void;
  /** Resets every connection and refuses new ones, until `restore`. */
  sever(): void;
  restore(): void;
}

/** The interval at which bytes pass: fine enough for tests of seconds. */
const TICK_MS = 5;

/**
 * Runs until the test or the file ends.
 *
 * @example
 * const proxy = await startTcpProxy({ to: redis.port });
 * proxy.behave({ delayMs: 50, bytesPerSecond: 1000 });
 */
export async function startTcpProxy({ to }: TcpProxyOptions): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let conditions: NetworkConditions = {};
  let severed = false;
  let target = to;

  const server = createServer(client => {
    if (severed) {
      client.resetAndDestroy();
      return;
    }
    const pair = new Pair(client, connect(target, '127.0.0.1'), () => conditions);
    pairs.add(pair);
    pair.ended.then(() => pairs.delete(pair));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const pair of pairs) pair.reset();
  };
  cleanup(async () => {
    cut();
    const closed = once(server, 'close');
    server.close();
    await closed;
  });
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return pairs.size;
    },
    behave(next) {
      conditions = next;
    },
    retarget(port) {
      target = port;
    },
    cut,
    sever() {
      severed = true;
      cut();
    },
    restore() {
      severed = false;
    },
  };
}

/** One connection with two directions that end together. */
class Pair {
  readonly ended: Promise<void>;
  readonly #sockets: readonly [Socket, Socket];

  constructor(client: Socket, server: Socket, conditions: () => NetworkConditions) {
    this.#sockets = [client, server];
    const flows = [new Flow(client, server, conditions), new Flow(server, client, conditions)];
    this.ended = new Promise(resolve => {
      for (const socket of this.#sockets) {
        socket.on('error', () => {}); // `close` follows.
        socket.once('close', () => {
          for (const flow of flows) flow.stop();
          this.reset();
          resolve();
        });
      }
    });
  }

  reset(): void {
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy();
  }
}

/** One direction: forwards bytes when the conditions allow, and reads no more than it may hold. */
class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #conditions: () => NetworkConditions;
  readonly #waiting: Array<{ readonly bytes: Buffer; readonly dueAtMs: number }> = [];
  readonly #timer: NodeJS.Timeout;
  #allowance = 0;
  #ended = false;

  constructor(from: Socket, to: Socket, conditions: () => NetworkConditions) {
    this.#from = from;
    this.#to = to;
    this.#conditions = conditions;
    from.on('data', bytes => {
      this.#waiting.push({ bytes, dueAtMs: performance.now() + (conditions().delayMs ?? 0) });
      // A slow network applies backpressure: it does not read bytes that it cannot forward.
      if (conditions().bytesPerSecond !== undefined || conditions().blackHole === true) from.pause();
      else this.#pass();
    });
    from.once('end', () => {
      this.#ended = true;
    });
    this.#timer = setInterval(() => this.#pass(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #pass(): void {
    const { bytesPerSecond, blackHole } = this.#conditions();
    if (blackHole === true) return;
    this.#allowance =
      bytesPerSecond === undefined ? Number.POSITIVE_INFINITY : this.#allowance + (bytesPerSecond * TICK_MS) / 1000;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (first.dueAtMs > performance.now() || this.#allowance < 1) break;
      const fitting = first.bytes.subarray(0, Math.floor(Math.min(this.#allowance, first.bytes.length)));
      this.#allowance -= fitting.length;
      this.#to.write(fitting);
      if (fitting.length === first.bytes.length) this.#waiting.shift();
      else this.#waiting[0] = { ...first, bytes: first.bytes.subarray(fitting.length) };
    }
    if (this.#waiting.length > 0) return;
    if (bytesPerSecond !== undefined) this.#allowance = Math.min(this.#allowance, bytesPerSecond / 10);
    if (this.#ended) this.#to.end();
    else this.#from.resume();
  }
}
