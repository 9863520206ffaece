/** Tokens with any claims: room tokens, and those that no back end should sign. */

import { TEST_JWT_SECRET } from '@hubbub/tools/kit';
import { createSigner } from 'fast-jwt';

/** Signed for an hour, unless the claims differ; `exp: undefined` leaves it out. */
export function signClaims(claims: object): string {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return createSigner({ key: TEST_JWT_SECRET, algorithm: 'HS256', noTimestamp: true })({ exp, ...claims });
}

export interface RoomTokenRequest {
  readonly user: string;
  readonly room: string;
  /** Default: all. */
  readonly rights?: readonly string[];
  /** Default an hour; negative for one that has expired. */
  readonly ttlMs?: number;
}

export function roomToken({ user, room, rights, ttlMs = 3_600_000 }: RoomTokenRequest): string {
  const exp = Math.floor((Date.now() + ttlMs) / 1000);
  return signClaims({ sub: user, room, exp, ...(rights !== undefined && { rights }) });
}
