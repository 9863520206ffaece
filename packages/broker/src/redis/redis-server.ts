/** A Redis server as its connections see it: its current address, and how to log in. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { RedisAddress } from '@hubbub/protocol';
import { AbstractConnector } from 'ioredis';
import type { RedisCertificates } from './redis-certificates.js';

export interface RedisServer {
  /** For logs and metrics, such as `10.0.0.5:6379`; without credentials. */
  readonly name: string;
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  readonly tls: boolean;
  /** Begins to connect to the current address. Waits while the address is unknown. */
  connect(): Promise<Socket>;
}

/** A server whose address never changes. */
export function serverAt(address: RedisAddress, certificates: RedisCertificates = {}): RedisServer {
  if ('path' in address) {
    const { path, db } = address;
    return { name: path, db, tls: false, connect: async () => connectTcp(path) };
  }
  const { host, port, family, tls, username, password, db } = address;
  const target = { host, port, ...(family !== undefined && { family }) };
  // A server name is not an address (RFC 6066); the certificate is checked against the host anyway.
  const servername = isIP(host) === 0 ? host : '';
  return {
    name: `${host}:${port}`,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    db,
    tls,
    connect: async () => (tls ? connectTls({ ...target, servername, ...certificates }) : connectTcp(target)),
  };
}

/** The sockets of a server in the form that ioredis takes. */
export function connectorOf(server: RedisServer): new () => AbstractConnector {
  return class extends AbstractConnector {
    constructor() {
      super(DISCONNECT_TIMEOUT_MS);
    }

    async connect(): Promise<Socket> {
      this.connecting = true;
      const socket = await server.connect();
      if (!this.connecting) socket.destroy();
      this.stream = socket;
      return socket;
    }
  };
}

/** A socket that its server does not close within this time is destroyed: a frozen one never does. */
const DISCONNECT_TIMEOUT_MS = 100;
