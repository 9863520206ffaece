/** Upgrades a request to a WebSocket, or refuses it: by an HTTP answer or, for pages that ask for it, by a close frame. */
import type { Config } from '@hubbub/config';
import type { HubbubError, Refusal } from '@hubbub/protocol';
import type { Admitted, UpgradeRequest } from '../admission/admission.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { Session, Socket } from '../sessions/session.js';
import { type ConnectionWatchOptions, clientOf } from './connection-watch.js';
import type { HttpRequest, HttpResponse, us_socket_context_t } from './engine.js';
import { assertSingleHeaders, type Handshake, readHandshake, wantsClose } from './handshake.js';
import {
  answerNextTurn,
  pusherCloseFor,
  type RefusalClose,
  refusalCloseFor,
  refusalOf,
  refuse,
  refuseLeaving,
} from './http-answers.js';
import type { RoomRoute } from './room-paths.js';

export interface UpgradeEvents {
  /** Judges a request before anything else is read of it, at the cost of microseconds. */
  screen(): Screening;
  /** Whether a request that `screen` refuses is read all the same, so that its account has a name. Few in a second. */
  recordsRefusals(): boolean;
  /** `screen` has refused the request. */
  shed(handshake: Handshake): void;
  /** @throws an error for `refused`, or rejects with it */
  admit(request: UpgradeRequest): Admitted | Promise<Admitted>;
  /** The request is refused, by `admit` or before. Returns the error that the client gets. */
  refused(error: unknown, handshake: Handshake): HubbubError;
  /** The socket of some session, if there is one. */
  anySocket(): Socket | undefined;
}

/** `leaving`: the answer has a status of its own, so that a proxy tries another edge. */
export type Screening = 'pass' | 'leaving' | Refusal;

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
  const client = clientOf(response, request, options);
  if (client === undefined) return;
  const { group } = client;
  const screening = events.screen();
  if (screening === 'leaving') {
    refuseLeaving(response);
    return;
  }
  const isRecorded = screening !== 'pass' && events.recordsRefusals();
  const mayClose = (): boolean => route?.isPusher === true || wantsClose(request.getQuery());
  if (screening !== 'pass' && !isRecorded && !mayClose()) {
    answerNextTurn(response, () => refuse(response, screening));
    return;
  }
  const handshake = readHandshake(request, client.text, route);
  // Browsers hide HTTP answers from pages: those that ask for it get the upgrade, and the refusal in a close frame.
  const closes = (): boolean => handshake.wantsClose && gate.refusing(group);
  const refuseByClose = (refusal: Refusal): void => {
    // A browser that offered subprotocols insists on one of them.
    const offered = handshake.subprotocols.split(',', 1)[0]?.trim() ?? '';
    const close = route?.isPusher === true ? pusherCloseFor(refusal) : refusalCloseFor(refusal);
    response.upgrade<ConnectionData>({ refusal: close, group }, key, offered, extensions, context);
  };
  const refuseWith = (refusal: Refusal): void => {
    if (closes()) refuseByClose(refusal);
    else answerNextTurn(response, () => refuse(response, refusal));
  };
  if (screening !== 'pass') {
    if (isRecorded) events.shed(handshake);
    refuseWith(screening);
    return;
  }
  const refuseNow = (error: unknown): void => refuseWith(refusalOf(events.refused(error, handshake)));
  try {
    assertSingleHeaders(handshake);
    gate.admit(group);
  } catch (error) {
    refuseNow(error);
    return;
  }
  const accept = (admitted: Admitted): void =>
    response.upgrade<ConnectionData>({ admitted, group }, key, admitted.subprotocol ?? '', extensions, context);
  let admitted: Admitted | Promise<Admitted>;
  try {
    admitted = events.admit(handshake);
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
    const refusal = refusalOf(events.refused(error, handshake));
    // In the next turn, as every refusal: an answer may be known within the engine's callback.
    setImmediate(() => {
      if (ended) return;
      if (closes()) whileCorked(response, events.anySocket(), () => refuseByClose(refusal));
      else response.cork(() => refuse(response, refusal));
    });
  };
  const timer = setTimeout(() => {
    limitMetrics.exceeded('handshake_time');
    reject(new LimitExceeded('handshake_time', 'UNAVAILABLE', 'The handshake took too long; try again later.'));
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
