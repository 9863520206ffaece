/** The token of a session: who it names, what it opens, and until when. */
import {
  ANONYMOUS_PREFIX,
  HubbubError,
  isAnonymousId,
  readUserName,
  type Sender,
  userIdProblem,
} from '@hubbub/protocol';
import { type Claims, type ClaimsVerifier, continueWith, type VerifiedClaims } from './claims.js';
import { type RoomsClaim, roomsClaimSchema } from './rights.js';
import { type TokenIdentity, tokenIdentity } from './token-identity.js';

export interface TokenClaims {
  readonly user: Sender;
  readonly rooms: RoomsClaim | undefined;
  /** When a session with this token ends: `exp` plus the leeway, milliseconds since 1970; `undefined`: it need not. */
  readonly expiresAtMs: number | undefined;
  readonly token: TokenIdentity;
}

/** A promise where a key has to be fetched first. @throws {HubbubError} as {@link ClaimsVerifier} */
export type TokenVerifier = (token: string) => TokenClaims | Promise<TokenClaims>;

/**
 * A verifier of session tokens. A room token cannot open a session; use a session token.
 *
 * @example
 * const verify = createTokenVerifier(openTokenKeys(config).verifyClaims);
 * const { user, expiresAtMs } = await verify(token);
 */
export function createTokenVerifier(verifyClaims: ClaimsVerifier): TokenVerifier {
  return token => continueWith(verifyClaims(token), readClaims);
}

/** By hand: a schema costs as much as the signature. */
function readClaims({ claims, expiresAtMs }: VerifiedClaims): TokenClaims {
  if (claims.room !== undefined) {
    throw new HubbubError('UNAUTHORIZED', 'A room token cannot open a session; use a session token.');
  }
  const { sub } = claims;
  if (typeof sub !== 'string') throw wrongClaim('sub', 'is not text');
  const problem = isAnonymousId(sub) ? `begins with ${ANONYMOUS_PREFIX}` : userIdProblem(sub);
  if (problem !== undefined) throw wrongClaim('sub', problem);
  return {
    user: { id: sub, name: nameOf(claims) ?? sub },
    rooms: roomsOf(claims),
    expiresAtMs,
    token: tokenIdentity(claims, Date.now()),
  };
}

/** Programs that fill in every field write null. */
function nameOf({ name }: Claims): string | undefined {
  if (name === undefined || name === null) return undefined;
  const read = readUserName(name);
  if ('problem' in read) throw wrongClaim('name', read.problem);
  return read.name;
}

/** Null is not absent here: without the claim the token would open every public room. */
function roomsOf({ rooms }: Claims): RoomsClaim | undefined {
  if (rooms === undefined) return undefined;
  const parsed = roomsClaimSchema.safeParse(rooms);
  if (!parsed.success) throw wrongClaim('rooms', parsed.error.issues[0]?.message ?? 'is not valid');
  return parsed.data;
}

/** Names the claim and never its value. */
function wrongClaim(claim: string, problem: string): HubbubError {
  return new HubbubError('UNAUTHORIZED', `The token's claim ${claim} ${problem}.`);
}
