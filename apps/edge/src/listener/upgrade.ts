/** Upgrades a request to a WebSocket, or refuses it: by an HTTP answer or, for pages that ask for it, by a close frame. */
import type { Refusal } from '@hubbub/protocol';
import type { Admitted } from '../admission/admission.js';
import type { Session, Socket } from '../sessions/session.js';
import type { HttpRequest, HttpResponse, us_socket_context_t } from './engine.js';
import { readHandshake, wantsClose } from './handshake.js';
import {
  answerNextTurn,
  pusherCloseFor,
  type RefusalClose,
  refusalCloseFor,
  refuse,
  refuseLeaving,
} from './http-answers.js';
import { type HandshakeOptions, judgeHandshake } from './judge-handshake.js';
import type { RoomRoute } from './room-paths.js';

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
  options: HandshakeOptions,
): void {
  const { events, gate } = options;
  // The request is gone after this call, which may end before the answer is known.
  const key = request.getHeader('sec-websocket-key');
  const extensions = request.getHeader('sec-websocket-extensions');
  const isPusher = route?.isPusher === true;
  const refuseByClose = (refusal: Refusal, group: string, subprotocols: string): void => {
    // A browser that offered subprotocols insists on one of them.
    const offered = subprotocols.split(',', 1)[0]?.trim() ?? '';
    const close = isPusher ? pusherCloseFor(refusal) : refusalCloseFor(refusal);
    response.upgrade<ConnectionData>({ refusal: close, group }, key, offered, extensions, context);
  };
  const answers = {
    read: (address: string) => readHandshake(request, address, route),
    accept(admitted: Admitted, group: string, isLate: boolean): void {
      const accept = (): void =>
        response.upgrade<ConnectionData>({ admitted, group }, key, admitted.subprotocol ?? '', extensions, context);
      if (isLate) whileCorked(response, events.anySocket(), accept);
      else accept();
    },
    refuse(
      refusal: Refusal,
      { wantsClose, subprotocols }: { readonly wantsClose: boolean; readonly subprotocols: string },
      group: string,
      isLate: boolean,
    ): void {
      // Browsers hide HTTP answers from pages: those that ask for it get the upgrade, and the refusal in a close frame.
      const closes = wantsClose && gate.refusing(group);
      const close = (): void => refuseByClose(refusal, group, subprotocols);
      if (closes && isLate) whileCorked(response, events.anySocket(), close);
      else if (closes) close();
      else if (isLate) response.cork(() => refuse(response, refusal));
      else answerNextTurn(response, () => refuse(response, refusal));
    },
    refuseLeaving: () => refuseLeaving(response),
    refuseUnread:
      isPusher || wantsClose(request.getQuery())
        ? undefined
        : (refusal: Refusal) => answerNextTurn(response, () => refuse(response, refusal)),
  };
  judgeHandshake(response, request, answers, options);
}

/**
 * Calls `upgrade` outside the engine's callbacks. Without `cork` the engine warns on stderr. Within `cork` the engine may
 * confuse a new WebSocket with a request at the same address, and close it. Corking another socket first avoids both.
 */
function whileCorked(response: HttpResponse, other: Socket | undefined, upgrade: () => void): void {
  if (other === undefined) upgrade();
  else other.cork(() => response.cork(upgrade));
}
