/** The token of a session: who it names, what it opens, and until when. */
import { HubbubError, type Sender, USER_ID_MAX_BYTES, USER_NAME_MAX_BYTES } from '@hubbub/protocol';
import { z } from 'zod';
import type { ClaimsVerifier } from './claims.js';
import { type RoomsClaim, roomsClaimSchema } from './rights.js';
import { whenKnown } from './when-known.js';

export interface TokenClaims {
  readonly user: Sender;
  readonly rooms?: RoomsClaim;
  /** When a session with this token ends: `exp` plus the leeway, milliseconds since 1970. */
  readonly expiresAtMs?: number;
}

/** Users of sessions without a token are called so: nobody may sign a token that names one. */
export const ANONYMOUS_PREFIX = 'anonymous:';

/** A user's id as a claim: of session tokens and of room tokens. */
export const userIdSchema = boundedText(USER_ID_MAX_BYTES);

const claimsSchema = z.object({
  sub: userIdSchema.refine(id => !id.startsWith(ANONYMOUS_PREFIX), `begins with ${ANONYMOUS_PREFIX}`),
  name: boundedText(USER_NAME_MAX_BYTES).optional(),
  rooms: roomsClaimSchema.optional(),
});

/** A promise where a key has to be fetched first. @throws {HubbubError} as {@link ClaimsVerifier} */
export type TokenVerifier = (token: string) => TokenClaims | Promise<TokenClaims>;

/**
 * A verifier of session tokens. A room token opens no session.
 *
 * @example
 * const verify = createTokenVerifier(openTokenKeys(config).verifyClaims);
 * const { user, expiresAtMs } = await verify(token);
 */
export function createTokenVerifier(verifyClaims: ClaimsVerifier): TokenVerifier {
  return token =>
    whenKnown(verifyClaims(token), ({ claims, expiresAtMs }) => {
      if (claims.room !== undefined) throw new HubbubError('UNAUTHORIZED', 'A room token opens no session.');
      const parsed = claimsSchema.safeParse(claims);
      if (!parsed.success) throw wrongClaim(parsed.error);
      const { sub, name, rooms } = parsed.data;
      return {
        user: { id: sub, name: name ?? sub },
        ...(rooms !== undefined && { rooms }),
        ...(expiresAtMs !== undefined && { expiresAtMs }),
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

function boundedText(maxBytes: number) {
  return (
    z
      .string()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters would reach channel names and logs.
      .regex(/^[^\u0000-\u001f\u007f]*$/, 'has control characters')
      // Not `min`, which also looks at the `length` of what is no text, and chokes on a hostile one.
      .refine(text => text !== '' && Buffer.byteLength(text) <= maxBytes, `is not 1 to ${maxBytes} bytes`)
  );
}
