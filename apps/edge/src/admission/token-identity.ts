/** Which token a session, or a membership, has: by its time of issue and its id, for revocations. */
import { isTokenId } from '@hubbub/protocol';
import type { Claims } from './claims.js';

export interface TokenIdentity {
  /** `iat`, whole seconds since 1970: a small integer that takes no memory of its own. */
  readonly issuedAtSeconds: number;
  /** `jti`; most tokens have none. */
  readonly tokenId: string | undefined;
}

/** Issued before every revocation. */
const UNKNOWN_SECONDS = -1;
/** How far the clock of an issuer may be ahead. */
const AHEAD_MS = 60_000;

/** A session without a token has nothing that could be revoked. */
export const NO_TOKEN: TokenIdentity = { issuedAtSeconds: 0x7fffffff, tokenId: undefined };

/**
 * A token without a usable `iat` counts as issued before every revocation. That includes one from the future, such as a
 * time in milliseconds: nothing could ever revoke it.
 */
export function tokenIdentity({ iat, jti }: Claims, nowMs: number): TokenIdentity {
  const isTime = typeof iat === 'number' && iat >= 0 && iat * 1000 <= nowMs + AHEAD_MS;
  return { issuedAtSeconds: isTime ? Math.floor(iat) : UNKNOWN_SECONDS, tokenId: isTokenId(jti) ? jti : undefined };
}
