/** A proxy for HTTP that lets WebSockets pass, refuses them, or never answers them, as proxies of companies do. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { cleanup } from './cleanup.js';

/** The fate of an upgrade: `plain` passes it on as a plain request, as a proxy does that knows no upgrades. */
export type UpgradePolicy = 'pass' | 'refuse' | 'swallow' | 'plain';

export interface UpgradeProxy {
  readonly port: number;
  /** Upgrades that arrived. */
  readonly upgrades: number;
  /** Method and path of the plain requests, in order. */
  readonly requests: readonly string[];
  treatUpgrades(policy: UpgradePolicy): void;
  /** Sends new requests to this port. */
  retarget(port: number): void;
  /** Ends every connection. */
  cut(): void;
  /** Holds back what the edge sends in open responses, until `thaw`. */
  freeze(): void;
  thaw(): void;
}

/** Runs until the test or the file ends. */
export async function startUpgradeProxy({
  to,
  upgrades: first = 'refuse',
}: {
  readonly to: number;
  readonly upgrades?: UpgradePolicy;
}): Promise<UpgradeProxy> {
  let target = to;
  let policy = first;
  let upgrades = 0;
  const requests: string[] = [];
  const sockets = new Set<Duplex>();
  const answers = new Map<IncomingMessage, ServerResponse>();
  const keep = <Socket extends Duplex>(socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => {}); // `close` follows.
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((incoming, response) => {
    requests.push(`${incoming.method} ${incoming.url?.split('?', 1)[0]}`);
    const outgoing = request({ host: '127.0.0.1', port: target, path: incoming.url, ...pick(incoming), agent: false });
    outgoing.on('response', answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      answers.set(answer, response);
      answer.once('close', () => answers.delete(answer));
      answer.on('error', () => response.destroy());
    });
    outgoing.on('error', () =>
      response.headersSent ? response.destroy() : response.writeHead(502).end('Bad Gateway'),
    );
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  server.on('connection', keep);
  server.on('upgrade', (incoming, socket, head) => {
    upgrades++;
    if (policy === 'swallow') return;
    if (policy === 'refuse') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\nConnection: close\r\n\r\nForbidden');
      return;
    }
    const edge = keep(connect(target, '127.0.0.1'));
    edge.write(headOf(incoming, policy === 'plain'));
    edge.write(head);
    edge.pipe(socket).pipe(edge);
    edge.once('close', () => socket.destroy());
    socket.once('close', () => edge.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    get upgrades() {
      return upgrades;
    },
    requests,
    treatUpgrades(next) {
      policy = next;
    },
    retarget(port) {
      target = port;
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    freeze() {
      for (const answer of answers.keys()) answer.unpipe().pause();
    },
    thaw() {
      for (const [answer, response] of answers) answer.pipe(response);
    },
  };
}

function pick({ method, headers }: IncomingMessage): Pick<IncomingMessage, 'method' | 'headers'> {
  return { method, headers };
}

function headOf({ method, url, rawHeaders }: IncomingMessage, isPlain: boolean): string {
  const lines: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const isOfUpgrade = /^(upgrade|connection|sec-websocket-key)$/i.test(rawHeaders[at] ?? '');
    if (!isPlain || !isOfUpgrade) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  }
  return `${method} ${url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}
