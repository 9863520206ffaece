/** The public port: HTTP routes, the upgrade, and the engine's callbacks turned into sessions' events. */

import type { RoomPath } from '@hubbub/config';
import { type ErrorCode, HubbubError } from '@hubbub/protocol';
import type { Admitted, UpgradeRequest } from '../admission/admission.js';
import type { ConnectionGate } from '../limits/connection-gate.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import { type IpAddress, peerAddress } from '../limits/limit-key.js';
import type { LimitMetrics } from '../limits/limit-metrics.js';
import type { PublishToTopic } from '../rooms/audience.js';
import type { Session, Socket } from '../sessions/session.js';
import type { ClientAddresses } from './client-address.js';
import type {
  EngineModule,
  EngineSocket,
  HttpRequest,
  HttpResponse,
  TemplatedApp,
  us_socket_context_t,
} from './engine.js';
import {
  answerMethods,
  answerNextTurn,
  type PageHandler,
  type RefusalClose,
  refusalCloseFor,
  refuse,
  refuseFor,
  servePage,
} from './http-answers.js';
import { type AppGeneration, ListeningApps } from './listening-apps.js';
import { assertSingleHeaders, handshakeHeaders } from './request-headers.js';
import { type RoomRoute, roomPathTemplates, roomRoutes } from './room-paths.js';
import type { TlsFiles } from './tls-files.js';

/** Events of a connection. */
export interface ConnectionEvents {
  /** @throws {HubbubError} with a code of `REFUSAL_STATUS`, or rejects with it: the answer instead of an upgrade. */
  admit(request: UpgradeRequest): Admitted | Promise<Admitted>;
  /** Refused without being asked `admit`. */
  refused(code: ErrorCode): void;
  opened(socket: Socket, admitted: Admitted): Session;
  /** The socket of some session, if there is one. */
  anySocket(): Socket | undefined;
  /** The bytes are the engine's and gone after the call. */
  received(session: Session, bytes: Uint8Array, isBinary: boolean): void;
  closed(session: Session, code: number): void;
  /** The session has read some of what waited for it. */
  drained(session: Session): void;
  /** More than `maxBufferedBytes` wait for the session; the engine closes it. */
  overflowed(session: Session): void;
}

export interface WebSocketOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Other processes may listen on it too; the kernel spreads the connections. */
  readonly sharedPort: boolean;
  readonly basePath: string;
  /** Beside `/rooms/{room_id}/ws`. */
  readonly roomPaths: readonly RoomPath[];
  /** Above it the engine ends the connection without a word; above `maxFrameBytes` the session gets `TOO_LARGE`. */
  readonly maxPayloadBytes: number;
  readonly maxBufferedBytes: number;
  /** 8,000 to 960,000: the engine aborts the process on anything else. */
  readonly idleTimeoutMs: number;
  /** A request that stays unanswered for this time is refused. */
  readonly handshakeTimeoutMs: number;
  /** The port speaks TLS. */
  readonly tls: TlsFiles | undefined;
  readonly addresses: ClientAddresses;
  readonly gate: ConnectionGate;
  readonly limitMetrics: LimitMetrics;
  readonly events: ConnectionEvents;
  readonly pages: Readonly<Record<string, PageHandler>>;
  /** Paths of pages that scripts of other origins may read, where `corsHeaders` allows it. */
  readonly openPages: readonly string[];
  readonly corsHeaders: (origin: string, host: string) => Readonly<Record<string, string>>;
}

export interface WebSocketListener {
  readonly port: number;
  readonly publish: PublishToTopic;
  /** With TLS: new connections get the certificate that the files have now. Rejects with their problem. */
  renewCertificate(): Promise<void>;
  /** Takes no new connections; those that stand stay. */
  stopListening(): Promise<void>;
  /** Ends every connection and the port. */
  close(): void;
}

interface UserData {
  /** Until it is opened: the session knows all of it that is needed later. */
  admitted?: Admitted | undefined;
  /** The key by which the gate counts it. */
  readonly group: string;
  session?: Session;
  overflowed?: boolean;
  /** Upgraded only to be closed with this: no session. */
  readonly refusal?: RefusalClose;
}

/** How long the engine waits at most for a client to close: 16 s, and 4 s until it looks; a shorter idle timeout shortens it. */
const CLOSING_MAX_MS = 20_000;

/** @throws {Error} that names the fix if the port cannot be bound, or the problem of the TLS files */
export function listenForWebSockets(engine: EngineModule, options: WebSocketOptions): WebSocketListener {
  return new ListeningApps({
    engine,
    ...options,
    serve(app, generation) {
      serveSessions(app, engine, generation, options);
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
    open: (socket: EngineSocket<UserData>) => {
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
      data.session = events.opened(generation.opened(socket), admitted);
    },
    message: (socket: EngineSocket<UserData>, bytes: ArrayBuffer, isBinary: boolean) => {
      const { session } = socket.getUserData();
      if (session !== undefined) events.received(session, new Uint8Array(bytes), isBinary);
    },
    dropped: (socket: EngineSocket<UserData>) => {
      const data = socket.getUserData();
      // Once for each message that did not fit any more; the session is cut off once.
      if (data.session !== undefined && data.overflowed !== true) events.overflowed(data.session);
      data.overflowed = true;
    },
    drain: (socket: EngineSocket<UserData>) => {
      const { session } = socket.getUserData();
      if (session !== undefined) events.drained(session);
    },
    close: (socket: EngineSocket<UserData>, code: number) => {
      const { session, group, refusal } = socket.getUserData();
      if (refusal !== undefined) return;
      generation.closed();
      gate.ended(); // A connection that became a session ends here alone.
      gate.leave(group);
      if (session !== undefined) events.closed(session, code);
    },
  });
  const isHeard = (response: HttpResponse, request: HttpRequest): boolean =>
    clientOf(response, request, options) !== undefined;
  const routes = roomRoutes(options.roomPaths);
  app.ws<UserData>(`${basePath}/ws`, behavior());
  for (const route of routes) app.ws<UserData>(`${basePath}${route.pattern}`, behavior(route));
  for (const [path, page] of Object.entries(options.pages)) {
    const sharedWith = (origin: string, host: string) =>
      options.openPages.includes(path) ? options.corsHeaders(origin, host) : {};
    const serve = (response: HttpResponse, request: HttpRequest): void => {
      const client = clientOf(response, request, options);
      if (client === undefined) return;
      try {
        gate.enter(client.group);
      } catch (error) {
        answerNextTurn(response, () => refuseFor(response, error));
        return;
      }
      const headers = sharedWith(request.getHeader('origin'), request.getHeader('host'));
      servePage(page, response, request, headers, () => gate.leave(client.group));
    };
    app.get(path, serve);
    app.head(path, serve);
    answerMethods(app, path, sharedWith, isHeard);
  }
  const answer = (code: ErrorCode, message: string) => (response: HttpResponse, request: HttpRequest) => {
    if (!isHeard(response, request)) return;
    const isHead = request.getMethod() === 'head';
    answerNextTurn(response, () => refuse(response, code, message, undefined, isHead));
  };
  const notAWebSocket = answer('UPGRADE_REQUIRED', 'This path speaks WebSocket: connect with a WebSocket client.');
  for (const path of ['/ws', ...routes.map(({ pattern }) => pattern)].map(path => `${basePath}${path}`)) {
    app.get(path, notAWebSocket);
    app.head(path, notAWebSocket);
    answerMethods(app, path, () => ({}), isHeard);
  }
  const templates = ['/ws', ...roomPathTemplates(options.roomPaths)].map(path => `${basePath}${path}`);
  app.any('/*', answer('NOT_FOUND', `WebSockets are at ${templates.join(', ')}.`));
}

/**
 * Counts connections that have sent no whole request. The engine ends each of them 10 to 14 seconds after it came, also one
 * that drips bytes. It answers too large headers with 431.
 */
function watchConnections(app: TemplatedApp, { addresses, gate, limitMetrics }: WebSocketOptions): void {
  const watch = (response: HttpResponse, change: unknown): void => {
    if (change !== 1) {
      gate.ended(); // The engine does not name the connection here: `onAborted` does.
      return;
    }
    if (!gate.accepted()) {
      response.close();
      return;
    }
    const peer = peerOf(response);
    if (addresses.isProxy(peer)) return;
    if (!gate.connected(peer.group)) {
      response.close();
      return;
    }
    // The first request takes the place of this handler: from then on `clientOf` has counted it.
    response.onAborted(() => {
      gate.heard(peer.group);
      limitMetrics.endedUnheard();
    });
  };
  app.filter(watch);
}

/**
 * The address of a request; `undefined` if the connection is gone already, and ended. Called once for each request: the
 * connection then counts as one that has sent a request.
 */
function clientOf(
  response: HttpResponse,
  request: HttpRequest,
  { addresses, gate }: WebSocketOptions,
): IpAddress | undefined {
  const peer = peerOf(response);
  if (peer.text === '') {
    // The system has forgotten the address; `watchConnections` has it, and sees the end.
    response.close();
    return undefined;
  }
  if (!addresses.isProxy(peer)) gate.heard(peer.group);
  return addresses.clientOf(peer, () => {
    // A proxy may add a header of its own below the one that the client sent; `getHeader` has only the first.
    const told: string[] = [];
    request.forEach((name, value) => {
      if (name === 'x-forwarded-for') told.push(value);
    });
    return told.join(',');
  });
}

function peerOf(response: HttpResponse): IpAddress {
  return peerAddress(Buffer.from(response.getRemoteAddressAsText()).toString('latin1'));
}

/** Not by name: for a parameter that the engine cannot decode, or without a value, it reports none. */
function queryOf(request: HttpRequest): URLSearchParams | undefined {
  const query = request.getQuery();
  return query === '' ? undefined : new URLSearchParams(query);
}

function upgrade(
  response: HttpResponse,
  request: HttpRequest,
  context: us_socket_context_t,
  route: RoomRoute | undefined,
  options: WebSocketOptions,
): void {
  const { events, gate, handshakeTimeoutMs, limitMetrics } = options;
  // The request is gone after this call, which may end before the answer is known.
  const key = request.getHeader('sec-websocket-key');
  const extensions = request.getHeader('sec-websocket-extensions');
  const query = queryOf(request);
  const headers = handshakeHeaders(request);
  const { subprotocols } = headers;
  const client = clientOf(response, request, options);
  if (client === undefined) return;
  const { group } = client;
  // Browsers hide HTTP answers from pages: those that ask for it get the upgrade, and the refusal in a close frame.
  const closes = (): boolean => query?.get('errors') === 'close' && gate.refusing(group);
  const refuseByClose = (error: unknown): void => {
    // A browser that offered subprotocols insists on one of them.
    const offered = subprotocols.split(',', 1)[0]?.trim() ?? '';
    response.upgrade<UserData>({ refusal: refusalCloseFor(error), group }, key, offered, extensions, context);
  };
  const refuseNow = (error: unknown): void => {
    if (closes()) refuseByClose(error);
    else answerNextTurn(response, () => refuseFor(response, error));
  };
  try {
    assertSingleHeaders(headers);
    gate.enter(group);
  } catch (error) {
    if (error instanceof HubbubError) events.refused(error.code);
    refuseNow(error);
    return;
  }
  const accept = (admitted: Admitted): void =>
    response.upgrade<UserData>({ admitted, group }, key, admitted.subprotocol ?? '', extensions, context);
  let admitted: Admitted | Promise<Admitted>;
  try {
    const place = route?.read(index => request.getParameter(index));
    admitted = events.admit({
      address: client.text,
      authorization: headers.authorization,
      host: headers.host,
      origin: headers.origin,
      subprotocols,
      queryToken: query?.get('token') ?? undefined,
      queryRoomToken: query?.get('room_token') ?? undefined,
      queryEpoch: query?.get('epoch') ?? undefined,
      queryOffset: query?.get('offset') ?? undefined,
      path: request.getUrl(),
      params: place?.params,
      pathRoom: place?.room,
    });
  } catch (error) {
    gate.leave(group);
    refuseNow(error);
    return;
  }
  if (!(admitted instanceof Promise)) {
    accept(admitted);
    return;
  }
  let ended = false;
  let answered = false;
  const answer = (): boolean => {
    if (answered) return false;
    answered = true;
    clearTimeout(timer);
    return true;
  };
  const reject = (error: unknown): void => {
    if (!answer()) return;
    gate.leave(group);
    // In the next turn, as every refusal: an answer may be known within the engine's callback.
    setImmediate(() => {
      if (ended) return;
      if (closes()) whileCorked(response, events.anySocket(), () => refuseByClose(error));
      else response.cork(() => refuseFor(response, error));
    });
  };
  const timer = setTimeout(() => {
    limitMetrics.exceeded('handshake_time');
    reject(new LimitExceeded('handshake_time', 'UNAVAILABLE', 'This takes too long; try again later.'));
  }, handshakeTimeoutMs);
  response.onAborted(() => {
    ended = true;
    if (answer()) gate.leave(group);
  });
  admitted.then(value => {
    if (answer()) whileCorked(response, events.anySocket(), () => accept(value));
  }, reject);
}

/**
 * Calls `upgrade` outside the engine's callbacks. Outside `cork` the engine warns on stderr; within it, the engine takes the new
 * WebSocket for the old request where both are at one address, and may close it. While another socket is corked, it only calls back.
 */
function whileCorked(response: HttpResponse, other: Socket | undefined, upgrade: () => void): void {
  if (other === undefined) upgrade();
  else other.cork(() => response.cork(upgrade));
}
