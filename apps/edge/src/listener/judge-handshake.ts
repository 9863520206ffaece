/** Judges a request for a session, in the engine's callback or later: screened, counted by the gate, admitted in time. */
import type { Config } from '@hubbub/config';
import type { Refusal } from '@hubbub/protocol';
import type { Admitted } from '../admission/admission.js';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import { type ConnectionWatchOptions, clientOf } from './connection-watch.js';
import type { HttpRequest, HttpResponse } from './engine.js';
import { assertSingleHeaders, type Handshake, readHandshake } from './handshake.js';
import { answerNextTurn, type Headers, refusalOf, refuse, refuseLeaving } from './http-answers.js';
import type { HandshakeEvents } from './listener-events.js';
import type { RoomRoute } from './room-paths.js';

export interface HandshakeOptions extends ConnectionWatchOptions, Pick<Config, 'handshakeTimeoutMs'> {
  readonly events: HandshakeEvents;
}

/** How a transport reads and answers a request. `isLate`: not within the engine's callback for the request. */
export interface HandshakeAnswers {
  read(address: string): Handshake;
  /** The gate counts the connection until it is released. */
  accept(admitted: Admitted, group: string, isLate: boolean): void;
  refuse(refusal: Refusal, handshake: Handshake, group: string, isLate: boolean): void;
  refuseLeaving(): void;
  /** A request that `screen` refused, answered without reading it; absent: it is read. */
  readonly refuseUnread?: ((refusal: Refusal) => void) | undefined;
}

/** Of a transport over plain HTTP: every refusal is an answer with a status. */
export function plainAnswers(
  response: HttpResponse,
  request: HttpRequest,
  route: RoomRoute,
  headers: Headers,
): Omit<HandshakeAnswers, 'accept'> {
  const refuseWith = (refusal: Refusal) => (): void => refuse(response, refusal, { headers });
  return {
    read: address => readHandshake(request, address, route),
    refuse(refusal, _handshake, _group, isLate) {
      if (isLate) response.cork(refuseWith(refusal));
      else answerNextTurn(response, refuseWith(refusal));
    },
    refuseLeaving: () => refuseLeaving(response, headers),
    refuseUnread: refusal => answerNextTurn(response, refuseWith(refusal)),
  };
}

export function judgeHandshake(
  response: HttpResponse,
  request: HttpRequest,
  answers: HandshakeAnswers,
  options: HandshakeOptions,
): void {
  const { events, gate, handshakeTimeoutMs, limitMetrics } = options;
  const client = clientOf(response, request, options);
  if (client === undefined) return;
  const { group } = client;
  const screening = events.screen();
  if (screening === 'leaving') {
    answers.refuseLeaving();
    return;
  }
  const isRecorded = screening !== 'pass' && events.recordsRefusals();
  if (screening !== 'pass' && !isRecorded && answers.refuseUnread !== undefined) {
    answers.refuseUnread(screening);
    return;
  }
  const handshake = answers.read(client.text);
  if (screening !== 'pass') {
    if (isRecorded) events.shed(handshake);
    answers.refuse(screening, handshake, group, false);
    return;
  }
  const refuseNow = (error: unknown): void =>
    answers.refuse(refusalOf(events.refused(error, handshake)), handshake, group, false);
  try {
    assertSingleHeaders(handshake);
    gate.admit(group);
  } catch (error) {
    refuseNow(error);
    return;
  }
  let admitted: Admitted | Promise<Admitted>;
  try {
    admitted = events.admit(handshake);
  } catch (error) {
    gate.release(group);
    refuseNow(error);
    return;
  }
  if (!(admitted instanceof Promise)) {
    answers.accept(admitted, group, false);
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
      if (!ended) answers.refuse(refusal, handshake, group, true);
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
    if (answer()) answers.accept(value, group, true);
  }, reject);
}
