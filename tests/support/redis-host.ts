/** One Redis server of the tests: the operations that `redis.ts` needs of a program, a container or a given URL. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

export interface RedisHost {
  readonly url: string;
  readonly port: number;
  /** `undefined` if the server is not our process. */
  readonly pid: number | undefined;
  /** Resolves when the server answers on its former port. */
  start(): Promise<void>;
  /** Ends the server immediately, as a crash does. With `keepData`, the next start finds the stored data. */
  halt(options: { readonly keepData: boolean }): Promise<void>;
  /** Freezes the server: connections stay open, but it does not answer. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends the server for good and leaves nothing behind. */
  dispose(): Promise<void>;
}

/**
 * Below the range that Linux gives to outgoing connections and to listeners at port 0 (32768 to 60999, ip(7),
 * `ip_local_port_range`). Any program may take a port of that range, and a restarted one finds it taken for minutes.
 */
const PORTS = { from: 20_000, to: 32_000 };
const PORTS_TO_ASK = 50;

/** A port for a program that must know its port before it binds, or bind the same one again. */
export async function freePort(): Promise<number> {
  for (let asked = 0; asked < PORTS_TO_ASK; asked++) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (await isFree(port)) return port;
  }
  throw new Error(`None of ${PORTS_TO_ASK} ports between ${PORTS.from} and ${PORTS.to} is free on this machine.`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isBound = await new Promise<boolean>(resolve => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (isBound) await new Promise(resolve => server.close(resolve));
  return isBound;
}
