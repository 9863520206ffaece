/** One Redis server of the tests, however it runs: what `redis.ts` needs of a program, a container or a given URL. */
import { createServer } from 'node:net';

export interface RedisHost {
  readonly url: string;
  readonly port: number;
  /** `undefined` where the server is not our process. */
  readonly pid: number | undefined;
  /** Resolves when the server answers; on the port it had before. */
  start(): Promise<void>;
  /** Ends the server at once, as a crash does. With `keepData`, the next start finds what was stored. */
  halt(options: { readonly keepData: boolean }): Promise<void>;
  /** Freezes the server: connections stay open and nothing answers. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends the server for good and leaves nothing behind. */
  dispose(): Promise<void>;
}

/** A port that was free a moment ago: who binds it must bear that it is taken, and try another. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port.');
  return address.port;
}
