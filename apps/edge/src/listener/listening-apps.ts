/**
 * The engine's apps behind the public port. Without TLS there is one. With TLS a new certificate means a new app on the
 * same port: the engine cannot change the one that clients without SNI get. The old one keeps its sessions until they end.
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Config } from '@hubbub/config';
import type { Socket } from '../sessions/session.js';
import type { EngineModule, TemplatedApp, us_listen_socket } from './engine.js';
import { checkTlsFiles, type TlsFiles } from './tls-files.js';
import type { Topics } from './topics.js';

export interface ListeningAppsOptions extends Pick<Config, 'host' | 'port' | 'sharedPort'> {
  readonly engine: EngineModule;
  readonly tls: TlsFiles | undefined;
  /** Has the current app, and those with sessions. */
  readonly topics: Topics;
  /** Gives a new app its routes. */
  readonly serve: (app: TemplatedApp, generation: AppGeneration) => void;
}

/** One app and its sessions; it is notified when each opens and ends. */
export interface AppGeneration {
  opened(socket: Socket): void;
  closed(): void;
}

/** LIBUS_LISTEN_DEFAULT, which the package declares but does not have: SO_REUSEPORT where the system knows it. */
const LISTEN_SHARED = 0;

export class ListeningApps {
  readonly #options: ListeningAppsOptions;
  #port: number;
  #current: TemplatedApp;
  readonly #sessions = new Map<TemplatedApp, number>();
  #listenSocket: us_listen_socket | undefined;

  /** @throws {Error} that names the fix if the port cannot be bound, or the problem of the files */
  constructor(options: ListeningAppsOptions) {
    this.#options = options;
    const { engine, port, sharedPort, tls } = options;
    this.#current = this.#build();
    this.#port = port;
    if (tls !== undefined && !sharedPort) this.#port = this.#findOwnPort();
    this.#listenSocket = this.#listen(this.#current, sharedPort || tls !== undefined);
    this.#port = engine.us_socket_local_port(this.#listenSocket);
    this.#options.topics.add(this.#current);
  }

  get port(): number {
    return this.#port;
  }

  /**
   * New connections get the certificate that is in the files now; existing ones stay. Where the kernel had given a connection
   * to the old socket in the very moment it closes, that one is reset.
   * Rejects with the problem of wrong files; then everything stays as before.
   */
  async renewCertificate(): Promise<void> {
    const old = this.#listenSocket;
    if (this.#options.tls === undefined || old === undefined) return;
    const next = this.#build();
    const previous = this.#current;
    // The new one first: the port always has a listener.
    this.#listenSocket = this.#listen(next, true);
    this.#current = next;
    this.#options.topics.add(next);
    await acceptAllWaiting();
    this.#options.engine.us_listen_socket_close(old);
    this.#forgetIfEmpty(previous);
  }

  /** Takes no new connections; existing ones stay. */
  async stopListening(): Promise<void> {
    if (this.#options.sharedPort) await acceptAllWaiting();
    if (this.#listenSocket !== undefined) this.#options.engine.us_listen_socket_close(this.#listenSocket);
    this.#listenSocket = undefined;
  }

  /** Ends every connection and the port. */
  close(): void {
    this.#listenSocket = undefined;
    for (const app of this.#options.topics.apps) app.close();
  }

  #build(): TemplatedApp {
    const { engine, tls, topics, serve } = this.#options;
    const app = tls === undefined ? engine.App() : buildTlsApp(engine, tls);
    serve(app, {
      opened: socket => {
        this.#sessions.set(app, (this.#sessions.get(app) ?? 0) + 1);
        topics.add(app); // A handshake may outlive its generation's last session.
        if (tls !== undefined) topics.assign(socket, app);
      },
      closed: () => {
        this.#sessions.set(app, (this.#sessions.get(app) ?? 1) - 1);
        this.#forgetIfEmpty(app);
      },
    });
    return app;
  }

  #forgetIfEmpty(app: TemplatedApp): void {
    if (app === this.#current || (this.#sessions.get(app) ?? 0) > 0) return;
    this.#options.topics.delete(app);
    this.#sessions.delete(app);
  }

  /** A port that is shared between generations could be shared with another program unnoticed: it is bound alone first. */
  #findOwnPort(): number {
    const { engine } = this.#options;
    const app = engine.App();
    app.any('/*', response => void response.close());
    const socket = this.#listen(app, false);
    const port = engine.us_socket_local_port(socket);
    engine.us_listen_socket_close(socket);
    return port;
  }

  #listen(app: TemplatedApp, shared: boolean): us_listen_socket {
    const { engine, host } = this.#options;
    let listening: us_listen_socket | undefined;
    app.listen(host, this.#port, shared ? LISTEN_SHARED : engine.LIBUS_LISTEN_EXCLUSIVE_PORT, socket => {
      if (socket !== false) listening = socket;
    });
    if (listening !== undefined) return listening;
    throw new Error(
      `Cannot listen on ${host}:${this.#port}: the engine cannot bind it. Set HUBBUB_HOST or HUBBUB_PORT.`,
    );
  }
}

/** A turn of the loop this short has accepted every waiting connection, and done nothing else since. */
const QUIET_TURN_MS = 0.05;
const TURNS_MAX = 1000;

/**
 * Closing one of several sockets on a port resets the connections that the kernel gave to it and that were not accepted yet.
 * Only Linux can hand them over (sysctl net.ipv4.tcp_migrate_req=1). So it is done just after a turn that has accepted all.
 */
async function acceptAllWaiting(): Promise<void> {
  for (let turns = 0; turns < TURNS_MAX; turns++) {
    const startedAtMs = performance.now();
    await nextTurn();
    if (performance.now() - startedAtMs < QUIET_TURN_MS) return;
  }
}

/** @throws {Error} naming the setting that is wrong */
function buildTlsApp(engine: EngineModule, tls: TlsFiles): TemplatedApp {
  const expiresAtMs = checkTlsFiles(tls);
  try {
    const app = engine.SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile, ssl_ciphers: tls.ciphers });
    tls.onCertificate(expiresAtMs);
    return app;
  } catch {
    // The engine gives no reason; the files were checked before.
    throw new Error(`HUBBUB_TLS_CIPHERS: the engine supports no suite of ${tls.ciphers}.`);
  }
}
