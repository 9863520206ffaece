/** The routes of server-sent events: an HTTP response becomes the transport of a session (PROTOCOL.md section 10). */
import type { Config } from '@hubbub/config';
import type { Admitted } from '../admission/admission.js';
import type { StreamRoom } from '../admission/stream-request.js';
import { EventStream, type StreamParts } from '../event-streams/event-stream.js';
import type { Heartbeats } from '../event-streams/heartbeats.js';
import { ReaderPositions } from '../event-streams/reader-positions.js';
import type { Session } from '../sessions/session.js';
import { clientOf } from './connection-watch.js';
import type { HttpRequest, HttpResponse, TemplatedApp } from './engine.js';
import { answerMethods, type Headers, writeHeaders } from './http-answers.js';
import { type HandshakeOptions, judgeHandshake, plainAnswers } from './judge-handshake.js';
import type { ConnectionEvents } from './listener-events.js';
import type { AppGeneration } from './listening-apps.js';
import { EVENTS_ROUTE, eventRoutes, type RoomRoute } from './room-paths.js';
import type { Topics } from './topics.js';

export interface EventRouteOptions
  extends HandshakeOptions,
    Pick<Config, 'basePath' | 'roomPaths' | 'maxBufferedBytes'> {
  readonly corsHeaders: (origin: string, host: string) => Headers;
  readonly topics: Topics;
  readonly heartbeats: Heartbeats;
  readonly events: ConnectionEvents;
}

const STREAM_HEADERS: Headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  connection: 'close',
  // A proxy that buffers the response holds every event back; nginx does by default.
  'x-accel-buffering': 'no',
};
/** Topics that every session has: those of its user, and of everybody. */
const COMMON_TOPICS = 2;
const NO_ROOMS: readonly StreamRoom[] = [];

export function serveEvents(app: TemplatedApp, generation: AppGeneration, options: EventRouteOptions): void {
  const { basePath, corsHeaders } = options;
  const parts = streamParts(generation, options);
  const isHeard = (response: HttpResponse, request: HttpRequest): boolean =>
    clientOf(response, request, options) !== undefined;
  for (const route of [EVENTS_ROUTE, ...eventRoutes(options.roomPaths)]) {
    const path = `${basePath}${route.pattern}`;
    app.get(path, (response, request) => serveStream(response, request, route));
    answerMethods(app, path, { headersFor: corsHeaders, isHeard, methods: 'GET, OPTIONS' });
  }

  function serveStream(response: HttpResponse, request: HttpRequest, route: RoomRoute): void {
    const headers = corsHeaders(request.getHeader('origin'), request.getHeader('host'));
    const accept = (admitted: Admitted, group: string): void => {
      response.cork(() => openStream(response, admitted, group, { ...STREAM_HEADERS, ...headers }));
    };
    judgeHandshake(response, request, { ...plainAnswers(response, request, route, headers), accept }, options);
  }

  function openStream(response: HttpResponse, admitted: Admitted, group: string, headers: Headers): void {
    const { streamRooms: rooms = NO_ROOMS } = admitted;
    writeHeaders(response.writeStatus('200 OK'), headers);
    const positions = new ReaderPositions(
      rooms.map(({ room }) => room),
      rooms.map(({ since }) => since),
    );
    const hasOneRoom = rooms.length === 1;
    const reader = { group, ownTopics: COMMON_TOPICS + rooms.length, positions, hasOneRoom };
    const stream = new EventStream(response, reader, parts);
    response.onAborted(() => stream.aborted());
    generation.opened(stream);
    options.events.opened(stream, admitted, session => stream.begin(session));
  }
}

function streamParts(
  generation: AppGeneration,
  { events, gate, topics, heartbeats, maxBufferedBytes }: EventRouteOptions,
): StreamParts {
  const ofSession =
    (act: (session: Session) => void) =>
    ({ session }: EventStream): void => {
      if (session !== undefined) act(session);
    };
  return {
    maxBufferedBytes,
    topics: topics.streams,
    heartbeats,
    drained: ofSession(session => events.drained(session)),
    overflowed: ofSession(session => events.overflowed(session)),
    unread: ofSession(session => events.unread(session)),
    closed({ group, session }, code, reason) {
      generation.closed();
      gate.release(group);
      if (session !== undefined) events.closed(session, code, reason);
    },
  };
}
