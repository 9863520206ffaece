/** The token of a session: who it names, what it opens, and until when. */
import {
  ANONYMOUS_PREFIX,
  HubbubError,
  isAnonymousId,
  readUserName,
  type Sender,
  userIdProblem,
} from '@hubbub/protocol';
import { z } from 'zod';
import { type ClaimsVerifier, continueWith } from './claims.js';
import { type RoomsClaim, roomsClaimSchema } from './rights.js';
import { type TokenIdentity, tokenIdentity } from './token-identity.js';

export interface TokenClaims {
  readonly user: Sender;
  readonly rooms?: RoomsClaim;
  /** When a session with this token ends: `exp` plus the leeway, milliseconds since 1970. */
  readonly expiresAtMs?: number;
  readonly token: TokenIdentity;
}

const claimsSchema = z.object({
  sub: z.string({ error: 'is not text' }).superRefine((id, context) => {
    const problem = isAnonymousId(id) ? `begins with ${ANONYMOUS_PREFIX}` : userIdProblem(id);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  }),
  // Programs that fill in every field write null.
  name: z
    .string({ error: 'is not text' })
    .transform((name, context) => {
      const read = readUserName(name);
      if ('name' in read) return read.name;
      context.addIssue({ code: 'custom', message: read.problem });
      return z.NEVER;
    })
    .nullish(),
  // Null is not absent here: without the claim the token would open every public room.
  rooms: roomsClaimSchema.optional(),
});

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
  return token =>
    continueWith(verifyClaims(token), ({ claims, expiresAtMs }) => {
      if (claims.room !== undefined)
        throw new HubbubError('UNAUTHORIZED', 'A room token cannot open a session; use a session token.');
      const parsed = claimsSchema.safeParse(claims);
      if (!parsed.success) throw wrongClaim(parsed.error);
      const { sub, name, rooms } = parsed.data;
      return {
        user: { id: sub, name: name ?? sub },
        ...(rooms !== undefined && { rooms }),
        ...(expiresAtMs !== undefined && { expiresAtMs }),
        token: tokenIdentity(claims, Date.now()),
      };
    });
}

/** The error of a token whose claims are not of the right form. It names the claim and never its value. */
export function wrongClaim({ issues: [issue] }: z.ZodError): HubbubError {
  return new HubbubError(
    'UNAUTHORIZED',
    `The token's claim ${issue?.path[0]?.toString() ?? ''} ${issue?.message ?? 'is not valid'}.`,
  );
}
