/** The public port: HTTP routes, the upgrade, and the engine's callbacks turned into sessions' events. */
import { type ErrorCode, HubbubError } from '@hubbub/protocol';
import type { RoomPath } from '@hubbub/runtime';
import { type Admitted, REFUSAL_STATUS, type UpgradeRequest } from './admission/admission.js';
import type { PublishToTopic } from './audience.js';
import type {
  EngineModule,
  EngineSocket,
  HttpRequest,
  HttpResponse,
  us_listen_socket,
  us_socket_context_t,
} from './engine.js';
import { type RoomRoute, roomPathTemplates, roomRoutes } from './room-paths.js';
import type { Session, Socket } from './session.js';

/** What happens on a connection. */
export interface ConnectionEvents {
  /** @throws {HubbubError} with a code of `REFUSAL_STATUS`, or rejects with it: the answer instead of an upgrade. */
  admit(request: UpgradeRequest): Admitted | Promise<Admitted>;
  opened(socket: Socket, admitted: Admitted): Session;
  /** The bytes are the engine's and gone after the call. */
  received(session: Session, bytes: Uint8Array, isBinary: boolean): void;
  closed(session: Session, code: number): void;
  /** More than `maxBufferedBytes` wait for the session; the engine closes it. */
  overflowed(session: Session): void;
}

/** A plain page on the public port. */
export interface Page {
  readonly status?: string;
  readonly contentType: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a page may know of its request. */
export interface PageRequest {
  readonly query: URLSearchParams;
  /** The `Host` header: the name under which the browser believes to speak to us. */
  readonly host: string;
}

/** Answers `GET path`; may throw {@link HubbubError}. */
export type PageHandler = (request: PageRequest) => Page | Promise<Page>;

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
  readonly events: ConnectionEvents;
  readonly pages: Readonly<Record<string, PageHandler>>;
}

export interface WebSocketListener {
  readonly port: number;
  readonly publish: PublishToTopic;
  /** Takes no new connections; those that stand stay. */
  stopListening(): void;
  /** Ends every connection and the port. */
  close(): void;
}

/** LIBUS_LISTEN_DEFAULT, which the package declares but does not have: SO_REUSEPORT where the system knows it. */
const LISTEN_SHARED = 0;

interface UserData {
  readonly admitted: Admitted;
  session?: Session;
  overflowed?: boolean;
}

/** Rejects with what to do when the port cannot be bound. */
export async function listenForWebSockets(engine: EngineModule, options: WebSocketOptions): Promise<WebSocketListener> {
  const { events, basePath } = options;
  const app = engine.App();
  const behavior = (route?: RoomRoute) => ({
    maxPayloadLength: options.maxPayloadBytes,
    maxBackpressure: options.maxBufferedBytes,
    // Without it a slow reader silently loses what does not fit and stays (invariant 6).
    closeOnBackpressureLimit: true,
    idleTimeout: Math.round(options.idleTimeoutMs / 1000),
    sendPingsAutomatically: true,
    compression: engine.DISABLED,
    upgrade: (response: HttpResponse, request: HttpRequest, context: us_socket_context_t) =>
      upgrade(events, response, request, context, route),
    open: (socket: EngineSocket<UserData>) => {
      const data = socket.getUserData();
      data.session = events.opened(socket, data.admitted);
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
    close: (socket: EngineSocket<UserData>, code: number) => {
      const { session } = socket.getUserData();
      if (session !== undefined) events.closed(session, code);
    },
  });
  const routes = roomRoutes(options.roomPaths);
  app.ws<UserData>(`${basePath}/ws`, behavior());
  for (const route of routes) app.ws<UserData>(`${basePath}${route.pattern}`, behavior(route));
  for (const [path, page] of Object.entries(options.pages)) {
    app.get(path, (response, request) => servePage(page, response, request));
  }
  const notAWebSocket = (response: HttpResponse): void =>
    refuse(response, 'UPGRADE_REQUIRED', 'This path speaks WebSocket: connect with a WebSocket client.');
  app.get(`${basePath}/ws`, notAWebSocket);
  for (const { pattern } of routes) app.get(`${basePath}${pattern}`, notAWebSocket);
  const templates = ['/ws', ...roomPathTemplates(options.roomPaths)].map(path => `${basePath}${path}`);
  app.any('/*', response => refuse(response, 'NOT_FOUND', `WebSockets are at ${templates.join(', ')}.`));

  const listenSocket = await new Promise<us_listen_socket>((resolve, reject) => {
    const sharing = options.sharedPort ? LISTEN_SHARED : engine.LIBUS_LISTEN_EXCLUSIVE_PORT;
    app.listen(options.host, options.port, sharing, token => {
      if (token !== false) resolve(token);
      else
        reject(
          new Error(
            `Cannot listen on ${options.host}:${options.port}: the port is taken, or not allowed. Set HUBBUB_PORT.`,
          ),
        );
    });
  });
  let listening = true;
  return {
    port: engine.us_socket_local_port(listenSocket),
    publish: (topic, bytes, isBinary) => app.publish(topic, bytes, isBinary),
    stopListening: () => {
      if (listening) engine.us_listen_socket_close(listenSocket);
      listening = false;
    },
    close: () => {
      listening = false;
      app.close();
    },
  };
}

function upgrade(
  events: ConnectionEvents,
  response: HttpResponse,
  request: HttpRequest,
  context: us_socket_context_t,
  route: RoomRoute | undefined,
): void {
  // The request is gone after this call, which may end before the answer is known.
  const key = request.getHeader('sec-websocket-key');
  const extensions = request.getHeader('sec-websocket-extensions');
  const accept = (admitted: Admitted): void =>
    response.upgrade<UserData>({ admitted }, key, admitted.subprotocol ?? '', extensions, context);
  const reject = (error: unknown): void => {
    if (error instanceof HubbubError) refuse(response, error.code, error.message);
    else refuse(response, 'UNAVAILABLE', 'This cannot be answered now.');
  };
  let admitted: Admitted | Promise<Admitted>;
  try {
    const place = route?.read(index => request.getParameter(index));
    admitted = events.admit({
      authorization: request.getHeader('authorization'),
      origin: request.getHeader('origin'),
      subprotocols: request.getHeader('sec-websocket-protocol'),
      queryToken: request.getQuery('token'),
      queryRoomToken: request.getQuery('room_token'),
      path: request.getUrl(),
      params: place?.params,
      pathRoom: place?.room,
    });
  } catch (error) {
    reject(error);
    return;
  }
  if (!(admitted instanceof Promise)) {
    accept(admitted);
    return;
  }
  let aborted = false;
  response.onAborted(() => {
    aborted = true;
  });
  const answer =
    <Value>(write: (value: Value) => void) =>
    (value: Value): void => {
      if (!aborted) response.cork(() => write(value));
    };
  admitted.then(answer(accept), answer(reject));
}

function servePage(page: PageHandler, response: HttpResponse, request: HttpRequest): void {
  let aborted = false;
  response.onAborted(() => {
    aborted = true;
  });
  Promise.resolve({ query: new URLSearchParams(request.getQuery()), host: request.getHeader('host') })
    .then(page)
    .then(
      ({ status = '200 OK', contentType, body, headers = {} }) => {
        if (aborted) return;
        response.cork(() => {
          response.writeStatus(status).writeHeader('content-type', contentType);
          for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
          response.end(body);
        });
      },
      (error: unknown) => {
        if (aborted) return;
        const code = error instanceof HubbubError ? error.code : 'UNAVAILABLE';
        response.cork(() =>
          refuse(response, code, error instanceof HubbubError ? error.message : 'This cannot be answered now.'),
        );
      },
    );
}

/** Answers with the status that belongs to the code, and its JSON body. */
function refuse(response: HttpResponse, code: ErrorCode, message: string): void {
  const statuses: Partial<Record<ErrorCode, string>> = REFUSAL_STATUS;
  response.writeStatus(statuses[code] ?? '400 Bad Request').writeHeader('content-type', 'application/json');
  if (code === 'UNAVAILABLE' || code === 'RATE_LIMITED') response.writeHeader('retry-after', '1');
  if (code === 'UNAUTHORIZED') response.writeHeader('www-authenticate', 'Bearer'); // RFC 6750 section 3.
  response.end(JSON.stringify({ code, message }), true);
}
