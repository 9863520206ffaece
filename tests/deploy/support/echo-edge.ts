/** An upstream instead of an edge: it answers with the request, always with the same status, or not at all. */
import { createServer, request } from 'node:http';
import { cleanup } from '../../support/cleanup.js';
import type { Upstream } from './proxy.js';

export interface EchoEdge extends Upstream {
  /** The number of handshakes and messages. */
  readonly asked: number;
}

/** @param answer to handshakes and messages: a status, or the end of the connection, as of an edge that crashes; 200 to others */
export async function startEchoEdge(answer: number | 'ends' = 200): Promise<EchoEdge> {
  let asked = 0;
  const server = createServer(({ headers, method }, response) => {
    const isHandshake = headers.upgrade !== undefined || method === 'POST';
    if (isHandshake) asked++;
    if (isHandshake && answer === 'ends') {
      response.destroy();
      return;
    }
    response.writeHead(isHandshake && answer !== 'ends' ? answer : 200, {
      'content-type': 'application/json',
      'retry-after': '7',
    });
    response.end(JSON.stringify(headers));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanup(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port.');
  return {
    port: address.port,
    adminPort: address.port,
    get asked() {
      return asked;
    },
  };
}

export interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly retryAfter: string | undefined;
}

/** One HTTP request, from an address of this machine's own (any of 127.0.0.0/8). A WebSocket that opens stays until the test ends. */
export function ask(
  port: number,
  options: { from?: string; path?: string; method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { from = '127.0.0.1', path = '/ws', method = 'GET', headers = {} } = options;
  return new Promise((resolve, reject) => {
    const asking = request(
      { host: '127.0.0.1', port, localAddress: from, path, method, headers, agent: false },
      response => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', chunk => (body += chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode, body, retryAfter: response.headers['retry-after'] }),
        );
      },
    );
    asking.once('error', reject);
    asking.once('upgrade', ({ statusCode }, socket) => {
      cleanup(() => socket.destroy());
      resolve({ status: statusCode, body: '', retryAfter: undefined });
    });
    asking.end();
  });
}

/** The headers of a WebSocket handshake. */
export const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
