/** Decides, before the upgrade, whether a request becomes a session (PROTOCOL.md section 1). */

import { type Namespaces, ORIGIN_REFUSED, type PusherApp, type RequestSources } from '@hubbub/config';
import {
  ANONYMOUS_PREFIX,
  CLOSE_CODES,
  type CloseCode,
  chooseSubprotocol,
  type ErrorCode,
  HubbubError,
  isRoomName,
  type Position,
} from '@hubbub/protocol';
import type { SessionEncoding } from '@hubbub/protocol/session-encoding';
import type { Authorizer } from './authorizer/authorizer.js';
import { continueWith } from './claims.js';
import type { AuthorizeJoin, JoiningUser } from './join-authorization.js';
import { presentedToken } from './presented-token.js';
import type { Revocations } from './revocations.js';
import { type Grant, type Rights, tokenRights } from './rights.js';
import type { StreamRequest, StreamRoom } from './stream-request.js';
import type { TokenVerifier } from './token.js';
import { NO_TOKEN, type TokenIdentity } from './token-identity.js';

/** The fields of an upgrade request; empty text for a missing header. */
export interface UpgradeRequest {
  /** Of the client, where it is known. */
  readonly address?: string | undefined;
  readonly authorization: string;
  readonly host: string;
  readonly origin: string;
  readonly subprotocols: string;
  /** `token` of the query. */
  readonly queryToken: string | undefined;
  /** Without the query. */
  readonly path: string;
  /** By the names in the path's template, decoded; `undefined` for `/ws`. */
  readonly params: Readonly<Record<string, string>> | undefined;
  /** The room that the path means, empty when it means none; `undefined` for `/ws`. */
  readonly pathRoom: string | undefined;
  /** `room_token` of the query. */
  readonly queryRoomToken: string | undefined;
  /** `epoch` and `offset` of the query: the position that the client has in the room of the path. */
  readonly queryEpoch?: string | undefined;
  readonly queryOffset?: string | undefined;
  /** Of a request for server-sent events. */
  readonly stream?: StreamRequest | undefined;
  /** Of a connection in the Pusher protocol: the app's key in the path, and `protocol` of the query. */
  readonly pusher?: { readonly key: string; readonly version: string | undefined } | undefined;
}

export interface Admitted extends JoiningUser {
  /** Unique in the cluster. */
  readonly sessionId: string;
  readonly encoding: SessionEncoding;
  /** The app of a connection in the Pusher protocol. */
  readonly pusherApp?: PusherApp;
  /** For `Sec-WebSocket-Protocol` of the answer. */
  readonly subprotocol: string | undefined;
  /** The room that the session is in from the start. */
  readonly room: string | undefined;
  /** The position in that room from which the client asks for what it missed. */
  readonly since: Position | undefined;
  /** The rights of the request's room token in that room. */
  readonly grant: Grant | undefined;
  /** The rooms of a reader of server-sent events, in the order of its request. */
  readonly streamRooms?: readonly StreamRoom[];
  /** When the session ends unless its token is renewed, milliseconds since 1970; `undefined`: it need not. */
  readonly expiresAtMs: number | undefined;
  readonly token: TokenIdentity;
}

export interface AdmissionPolicy {
  readonly sources: RequestSources;
  readonly verifyToken: TokenVerifier;
  readonly revocations: Revocations;
  readonly namespaces: Namespaces;
  /** Of sessions without a token; `undefined`: there are none. */
  readonly anonymousRights: Rights | undefined;
  readonly authorizer: Authorizer;
  readonly authorizeJoin: AuthorizeJoin;
  readonly nextSessionId: () => string;
}

/** Status of the HTTP answer to a refused upgrade. */
export const REFUSAL_STATUS = {
  INVALID_ROOM: '400 Bad Request',
  UNSUPPORTED_SUBPROTOCOL: '400 Bad Request',
  INVALID_PAYLOAD: '400 Bad Request',
  ROOM_LIMIT: '400 Bad Request',
  UNAUTHORIZED: '401 Unauthorized',
  ORIGIN_NOT_ALLOWED: '403 Forbidden',
  FORBIDDEN: '403 Forbidden',
  NOT_FOUND: '404 Not Found',
  UPGRADE_REQUIRED: '426 Upgrade Required',
  RATE_LIMITED: '429 Too Many Requests',
  UNAVAILABLE: '503 Service Unavailable',
} as const satisfies Partial<Record<ErrorCode, string>>;

/** Of a leaving edge, and of nothing else: proxies repeat this status alone (docs/decisions/0009). */
export const LEAVING_STATUS = '502 Bad Gateway';

/** Close code of a refusal, for those who asked for one instead of an HTTP answer. */
export const REFUSAL_CLOSE_CODE: Readonly<Partial<Record<ErrorCode, CloseCode>>> = {
  UNAUTHORIZED: CLOSE_CODES.UNAUTHORIZED,
  ORIGIN_NOT_ALLOWED: CLOSE_CODES.FORBIDDEN,
  FORBIDDEN: CLOSE_CODES.FORBIDDEN,
  RATE_LIMITED: CLOSE_CODES.TOO_MANY_CONNECTIONS,
  UNAVAILABLE: CLOSE_CODES.TRY_AGAIN_LATER,
};

/**
 * Returns immediately where everything is known, so that most upgrades await nothing; else a promise.
 * @throws {HubbubError} with a code of {@link REFUSAL_STATUS}; or rejects with it.
 */
export function admit(request: UpgradeRequest, policy: AdmissionPolicy): Admitted | Promise<Admitted> {
  assertSource(request, policy);
  const room = pathRoom(request);
  const since = room === undefined ? undefined : queryPosition(request);
  const { encoding, selected, token } = chooseSubprotocol(request.subprotocols);
  const sessionId = policy.nextSessionId();
  return continueWith(identify(request, token, sessionId, policy), identity =>
    continueWith(authorize(request, identity, room, policy), grant => {
      // Each property by its name: V8 gives a spread object its own hidden class, 500 bytes for every connection.
      const { user, rights, address, expiresAtMs, token: ofToken } = identity;
      return {
        user,
        rights,
        address,
        expiresAtMs,
        token: ofToken,
        sessionId,
        encoding,
        subprotocol: selected,
        room,
        since,
        grant,
      };
    }),
  );
}

/** @throws {HubbubError} `ORIGIN_NOT_ALLOWED`, `FORBIDDEN` */
export function assertSource({ host, origin }: UpgradeRequest, { sources }: Pick<AdmissionPolicy, 'sources'>): void {
  assertHost(host, sources);
  // A request without an Origin is not from a browser: it carries no ambient credentials that a foreign page could use.
  if (origin !== '' && !sources.isOriginAllowed(origin, host)) {
    throw new HubbubError('ORIGIN_NOT_ALLOWED', ORIGIN_REFUSED);
  }
}

/** @throws {HubbubError} FORBIDDEN for a name that is not one of this server's */
export function assertHost(host: string, sources: RequestSources): void {
  const problem = sources.hostProblem(host);
  if (problem !== undefined) throw new HubbubError('FORBIDDEN', problem);
}

function pathRoom(request: UpgradeRequest): string | undefined {
  if (request.pathRoom === undefined) return undefined;
  if (!isRoomName(request.pathRoom)) throw new HubbubError('INVALID_ROOM', 'The path does not name a room.');
  return request.pathRoom;
}

/** At most 16 digits: a larger number is not a safe integer. */
const OFFSET = /^\d{1,16}$/;

function queryPosition({ queryEpoch: epoch, queryOffset }: UpgradeRequest): Position | undefined {
  if (epoch === undefined && queryOffset === undefined) return undefined;
  const offset = OFFSET.test(queryOffset ?? '') ? Number(queryOffset) : Number.NaN;
  if (epoch === undefined || !Number.isSafeInteger(offset)) {
    throw new HubbubError('INVALID_PAYLOAD', 'A position in the query needs epoch and offset, a whole number.');
  }
  return { epoch, offset };
}

export type Identity = JoiningUser & Pick<Admitted, 'expiresAtMs' | 'token'>;

/** Identifies the user. A request with an unreadable token is refused, not treated as one without. */
export function identify(
  request: UpgradeRequest,
  subprotocolToken: string | undefined,
  sessionId: string,
  { verifyToken, anonymousRights, namespaces, revocations }: AdmissionPolicy,
): Identity | Promise<Identity> {
  const { address } = request;
  const token = presentedToken(request.authorization, subprotocolToken, request.queryToken);
  if (token === undefined && anonymousRights !== undefined) {
    // A user of its own for each session: no token may name such a user.
    const user = { id: `${ANONYMOUS_PREFIX}${sessionId}`, name: 'Anonymous' };
    return { user, rights: anonymousRights, address, expiresAtMs: undefined, token: NO_TOKEN };
  }
  if (token === undefined || token === '') throw new HubbubError('UNAUTHORIZED', TOKEN_NEEDED);
  return continueWith(verifyToken(token), ({ user, rooms, expiresAtMs, token: ofToken }) => {
    revocations.assertAccess(user.id, ofToken, 'handshake');
    return { user, rights: tokenRights(rooms, namespaces), address, expiresAtMs, token: ofToken };
  });
}

/** Whether it may connect at all, and join the room of the path. */
function authorize(
  { path, params, queryRoomToken }: UpgradeRequest,
  identity: Identity,
  room: string | undefined,
  { authorizer, authorizeJoin }: AdmissionPolicy,
): Grant | undefined | Promise<Grant | undefined> {
  const { user, address } = identity;
  const asked = authorizer.ask({ action: 'connect', user, address, path, params, room });
  return continueWith<void, Grant | undefined>(asked, () =>
    room === undefined ? undefined : authorizeJoin(identity, room, queryRoomToken),
  );
}

const TOKEN_NEEDED = 'A token is required: in Authorization: Bearer, in Sec-WebSocket-Protocol, or as ?token=.';
