/** A small HTTP server that serves a JSON Web Key Set, or the answers of a broken server. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cleanup } from './cleanup.js';

export interface KeyServer {
  readonly url: string;
  /** Requests so far. */
  readonly requests: number;
  /** Sets the answer from now on: a key set, or a custom answer of the test. */
  serve(keysOrAnswer: readonly object[] | RequestListener): void;
  /** Ends connections without an answer from now on, until `serve` is called. */
  fail(): void;
  /** Stops listening. */
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
