/** The WebSocket routes of the public port: the engine's callbacks turned into the events of connections. */
import type { Config } from '@hubbub/config';
import type { Heartbeats } from '../event-streams/heartbeats.js';
import type { PublishOverHttp } from '../event-streams/publish-over-http.js';
import { watchConnections } from './connection-watch.js';
import type {
  EngineModule,
  EngineSocket,
  HttpRequest,
  HttpResponse,
  TemplatedApp,
  us_socket_context_t,
} from './engine.js';
import { serveEvents } from './event-routes.js';
import { type HttpRouteOptions, serveHttp } from './http-routes.js';
import type { HandshakeOptions } from './judge-handshake.js';
import type { ConnectionEvents } from './listener-events.js';
import { type AppGeneration, ListeningApps } from './listening-apps.js';
import { servePublishing } from './message-routes.js';
import { PUSHER_ROUTE, type RoomRoute, roomRoutes } from './room-paths.js';
import type { TlsFiles } from './tls-files.js';
import type { Topics } from './topics.js';
import { type ConnectionData, upgrade } from './upgrade.js';

export interface WebSocketOptions
  extends HttpRouteOptions,
    HandshakeOptions,
    Pick<
      Config,
      'host' | 'port' | 'sharedPort' | 'maxBufferedBytes' | 'maxFrameBytes' | 'idleTimeoutMs' | 'pusherApps'
    > {
  /** Above it the engine ends the connection without a close frame; above `maxFrameBytes` the session gets `TOO_LARGE`. */
  readonly maxPayloadBytes: number;
  /** The port speaks TLS. */
  readonly tls: TlsFiles | undefined;
  readonly topics: Topics;
  /** Of event streams. */
  readonly heartbeats: Heartbeats;
  readonly events: ConnectionEvents;
  readonly publish: PublishOverHttp;
}

export interface WebSocketListener {
  readonly port: number;
  /** With TLS: new connections get the certificate that the files have now. Rejects with their problem. */
  renewCertificate(): Promise<void>;
  /** Takes no new connections; existing ones stay. */
  stopListening(): Promise<void>;
  /** Ends every connection and the port. */
  close(): void;
}

/** The engine waits at most this long for a client to close: 16 s plus a check every 4 s. A shorter idle timeout shortens it. */
const CLOSING_MAX_MS = 20_000;

/** @throws {Error} that names the fix if the port cannot be bound, or the problem of the TLS files */
export function listenForWebSockets(engine: EngineModule, options: WebSocketOptions): WebSocketListener {
  return new ListeningApps({
    engine,
    ...options,
    serve(app, generation) {
      serveSessions(app, engine, generation, options);
      serveEvents(app, generation, options);
      servePublishing(app, options);
      serveHttp(app, options);
      watchConnections(app, options);
    },
  });
}

function serveSessions(
  app: TemplatedApp,
  engine: EngineModule,
  generation: AppGeneration,
  options: WebSocketOptions,
): void {
  const { events, basePath, gate } = options;
  const behavior = (route?: RoomRoute) => ({
    maxPayloadLength: options.maxPayloadBytes,
    maxBackpressure: options.maxBufferedBytes,
    // Without it a slow reader silently loses what does not fit and stays (invariant 6).
    closeOnBackpressureLimit: true,
    idleTimeout: Math.round(options.idleTimeoutMs / 1000),
    sendPingsAutomatically: true,
    compression: engine.DISABLED,
    upgrade: (response: HttpResponse, request: HttpRequest, context: us_socket_context_t) =>
      upgrade(response, request, context, route, options),
    open: (socket: EngineSocket<ConnectionData>) => {
      const data = socket.getUserData();
      const { admitted, refusal } = data;
      if (refusal !== undefined) {
        socket.end(refusal.code, refusal.reason);
        // The engine reports the end now, and holds the connection until the client closes it or this time is over.
        const held = (): void => {
          gate.ended();
          gate.refusalEnded(data.group);
        };
        setTimeout(held, Math.min(CLOSING_MAX_MS, options.idleTimeoutMs)).unref();
      }
      if (admitted === undefined) return;
      data.admitted = undefined;
      generation.opened(socket);
      events.opened(socket, admitted, session => {
        data.session = session;
      });
    },
    message: (socket: EngineSocket<ConnectionData>, bytes: ArrayBuffer, isBinary: boolean) => {
      const { session } = socket.getUserData();
      if (session !== undefined) events.received(session, new Uint8Array(bytes), isBinary);
    },
    dropped: (socket: EngineSocket<ConnectionData>) => {
      const data = socket.getUserData();
      // Once for each message that did not fit any more; the session is cut off once.
      if (data.session !== undefined && data.overflowed !== true) events.overflowed(data.session);
      data.overflowed = true;
    },
    drain: (socket: EngineSocket<ConnectionData>) => {
      const { session } = socket.getUserData();
      if (session !== undefined) events.drained(session);
    },
    close: (socket: EngineSocket<ConnectionData>, code: number, reason: ArrayBuffer) => {
      const { session, group, refusal } = socket.getUserData();
      if (refusal !== undefined) return;
      generation.closed();
      gate.ended(); // A connection that became a session ends here alone.
      gate.release(group);
      if (session !== undefined) events.closed(session, code, Buffer.from(reason).toString());
    },
  });
  app.ws<ConnectionData>(`${basePath}/ws`, behavior());
  for (const route of roomRoutes(options.roomPaths)) {
    app.ws<ConnectionData>(`${basePath}${route.pattern}`, behavior(route));
  }
  if (options.pusherApps.length > 0) {
    app.ws<ConnectionData>(`${basePath}${PUSHER_ROUTE.pattern}`, behavior(PUSHER_ROUTE));
  }
}
