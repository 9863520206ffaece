/** Decides, before the upgrade, whether a request becomes a session (PROTOCOL.md section 1). */
import {
  chooseSubprotocol,
  type Encoding,
  type ErrorCode,
  HubbubError,
  isRoomName,
  type Sender,
} from '@hubbub/protocol';
import type { Namespaces } from '@hubbub/runtime';
import { type Rights, tokenRights } from './rights.js';
import type { TokenVerifier } from './token.js';
import { whenKnown } from './when-known.js';

/** What an upgrade request says of itself; empty text where a header is missing. */
export interface UpgradeRequest {
  readonly authorization: string;
  readonly origin: string;
  readonly subprotocols: string;
  /** `token` of the query, undecoded. */
  readonly queryToken: string | undefined;
  /** `{room_id}` of the path, undecoded; `undefined` for `/ws`. */
  readonly pathRoom: string | undefined;
}

export interface Admitted {
  readonly user: Sender;
  readonly rights: Rights;
  readonly encoding: Encoding;
  /** For `Sec-WebSocket-Protocol` of the answer. */
  readonly subprotocol: string | undefined;
  /** The room that the session is in from the start. */
  readonly room: string | undefined;
  /** When the session ends unless its token is renewed, milliseconds since 1970; `undefined`: it need not. */
  readonly expiresAtMs: number | undefined;
}

export interface AdmissionPolicy {
  readonly verifyToken: TokenVerifier;
  /** `undefined` admits every origin. */
  readonly allowedOrigins: readonly string[] | undefined;
  readonly namespaces: Namespaces;
}

/** Status of the HTTP answer to a refused upgrade. */
export const REFUSAL_STATUS = {
  INVALID_ROOM: '400 Bad Request',
  UNAUTHORIZED: '401 Unauthorized',
  ORIGIN_NOT_ALLOWED: '403 Forbidden',
  FORBIDDEN: '403 Forbidden',
  NOT_FOUND: '404 Not Found',
  UPGRADE_REQUIRED: '426 Upgrade Required',
  RATE_LIMITED: '429 Too Many Requests',
  UNAVAILABLE: '503 Service Unavailable',
} as const satisfies Partial<Record<ErrorCode, string>>;

/**
 * At once where everything is known, so that nothing is awaited before most upgrades; a promise where somebody has to be asked.
 * @throws {HubbubError} with a code of {@link REFUSAL_STATUS}; or rejects with it.
 */
export function admit(request: UpgradeRequest, policy: AdmissionPolicy): Admitted | Promise<Admitted> {
  // A request without an Origin is no browser: it carries no ambient credentials that a foreign page could use.
  if (request.origin !== '' && policy.allowedOrigins?.includes(request.origin) === false) {
    throw new HubbubError('ORIGIN_NOT_ALLOWED', 'This origin may not connect.');
  }
  const subprotocol = chooseSubprotocol(request.subprotocols);
  const token = bearer(request.authorization) ?? subprotocol.token ?? decodeText(request.queryToken);
  if (token === undefined || token === '') {
    throw new HubbubError(
      'UNAUTHORIZED',
      'A token is required: in Authorization: Bearer, in Sec-WebSocket-Protocol, or as ?token=.',
    );
  }
  return whenKnown(policy.verifyToken(token), ({ user, rooms, expiresAtMs }) => {
    const rights = tokenRights(rooms, policy.namespaces);
    const { encoding, selected } = subprotocol;
    return { user, rights, encoding, subprotocol: selected, room: pathRoom(request, rights), expiresAtMs };
  });
}

function pathRoom(request: UpgradeRequest, rights: Rights): string | undefined {
  if (request.pathRoom === undefined) return undefined;
  const room = decodeText(request.pathRoom);
  if (room === undefined || !isRoomName(room)) throw new HubbubError('INVALID_ROOM', 'The path does not name a room.');
  if (!rights.allows(room, 'join')) throw new HubbubError('FORBIDDEN', 'The token does not open this room.');
  return room;
}

function bearer(authorization: string): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1];
}

function decodeText(encoded: string | undefined): string | undefined {
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined; // A broken percent escape: the same as no value.
  }
}
