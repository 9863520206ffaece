/** A small HTTP server that serves a JSON Web Key Set, or whatever a broken one would serve. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cleanup } from './cleanup.js';

export interface KeyServer {
  readonly url: string;
  /** Requests so far. */
  readonly requests: number;
  /** What it serves from now on: a key set, or an answer of the test's own. */
  serve(keysOrAnswer: readonly object[] | RequestListener): void;
  /** Ends connections without an answer from now on, until `serve` is called. */
  fail(): void;
  /** Nobody listens any more. */
  stop(): Promise<void>;
}

/** @example const server = await startKeyServer([jwk(pair, { kid: 'k1' })]) */
export async function startKeyServer(keys: readonly object[] = []): Promise<KeyServer> {
  let requests = 0;
  let answer: RequestListener = keySet(keys);
  const server = createServer((request, response) => {
    requests++;
    answer(request, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const stop = () =>
    new Promise<void>(resolve => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  cleanup(stop);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/jwks.json`,
    get requests() {
      return requests;
    },
    serve(keysOrAnswer) {
      answer = typeof keysOrAnswer === 'function' ? keysOrAnswer : keySet(keysOrAnswer);
    },
    fail() {
      answer = request => request.socket.destroy();
    },
    stop,
  };
}

function keySet(keys: readonly object[]): RequestListener {
  return (_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys }));
  };
}
