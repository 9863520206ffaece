/** Upgrades a request to a WebSocket, or refuses it: by an HTTP answer or, for pages that ask for it, by a close frame. */
import type { Config } from '@hubbub/config';
import { type ErrorCode, HubbubError } from '@hubbub/protocol';
import type { Admitted, UpgradeRequest } from '../admission/admission.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { Session, Socket } from '../sessions/session.js';
import { type ConnectionWatchOptions, clientOf } from './connection-watch.js';
import type { HttpRequest, HttpResponse, us_socket_context_t } from './engine.js';
import { answerNextTurn, type RefusalClose, refusalCloseFor, refusalOf, refuse } from './http-answers.js';
import { assertSingleHeaders, handshakeHeaders } from './request-headers.js';
import type { RoomRoute } from './room-paths.js';

export interface UpgradeEvents {
  /** @throws {HubbubError} with a code of `REFUSAL_STATUS`, or rejects with it: the answer instead of an upgrade. */
  admit(request: UpgradeRequest): Admitted | Promise<Admitted>;
  /** Refused without being asked `admit`. */
  refused(code: ErrorCode): void;
  /** The socket of some session, if there is one. */
  anySocket(): Socket | undefined;
}

export interface UpgradeOptions extends ConnectionWatchOptions, Pick<Config, 'handshakeTimeoutMs'> {
  readonly events: UpgradeEvents;
}

/** The data that the engine keeps for a connection. */
export interface ConnectionData {
  /** Set until the connection opens; from then on the session has what is needed. */
  admitted?: Admitted | undefined;
  /** The key by which the gate counts it. */
  readonly group: string;
  session?: Session;
  overflowed?: boolean;
  /** Upgraded only to be closed with this: no session. */
  readonly refusal?: RefusalClose;
}

/** Not by name: for a parameter that the engine cannot decode, or without a value, it reports none. */
function queryOf(request: HttpRequest): URLSearchParams | undefined {
  const query = request.getQuery();
  return query === '' ? undefined : new URLSearchParams(query);
}

export function upgrade(
  response: HttpResponse,
  request: HttpRequest,
  context: us_socket_context_t,
  route: RoomRoute | undefined,
  options: UpgradeOptions,
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
    response.upgrade<ConnectionData>(
      { refusal: refusalCloseFor(refusalOf(error)), group },
      key,
      offered,
      extensions,
      context,
    );
  };
  const refuseNow = (error: unknown): void => {
    if (closes()) refuseByClose(error);
    else answerNextTurn(response, () => refuse(response, refusalOf(error)));
  };
  try {
    assertSingleHeaders(headers);
    gate.admit(group);
  } catch (error) {
    if (error instanceof HubbubError) events.refused(error.code);
    refuseNow(error);
    return;
  }
  const accept = (admitted: Admitted): void =>
    response.upgrade<ConnectionData>({ admitted, group }, key, admitted.subprotocol ?? '', extensions, context);
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
    gate.release(group);
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
    gate.release(group);
    // In the next turn, as every refusal: an answer may be known within the engine's callback.
    setImmediate(() => {
      if (ended) return;
      if (closes()) whileCorked(response, events.anySocket(), () => refuseByClose(error));
      else response.cork(() => refuse(response, refusalOf(error)));
    });
  };
  const timer = setTimeout(() => {
    limitMetrics.exceeded('handshake_time');
    reject(new LimitExceeded('handshake_time', 'UNAVAILABLE', 'This takes too long; try again later.'));
  }, handshakeTimeoutMs);
  response.onAborted(() => {
    ended = true;
    if (answer()) gate.release(group);
  });
  admitted.then(value => {
    if (answer()) whileCorked(response, events.anySocket(), () => accept(value));
  }, reject);
}

/**
 * Calls `upgrade` outside the engine's callbacks. Without `cork` the engine warns on stderr. Within `cork` the engine may
 * confuse a new WebSocket with a request at the same address, and close it. Corking another socket first avoids both.
 */
function whileCorked(response: HttpResponse, other: Socket | undefined, upgrade: () => void): void {
  if (other === undefined) upgrade();
  else other.cork(() => response.cork(upgrade));
}
