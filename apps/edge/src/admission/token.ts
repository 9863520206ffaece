/** Verifies a token and reads who it names. Synchronous, so that nothing is awaited before the upgrade. */
import { HubbubError, type Sender, USER_ID_MAX_BYTES, USER_NAME_MAX_BYTES } from '@hubbub/protocol';
import { createVerifier, TokenError } from 'fast-jwt';
import { z } from 'zod';
import { type RoomsClaim, roomsClaimSchema } from './rights.js';

export interface TokenClaims {
  readonly user: Sender;
  readonly rooms?: RoomsClaim;
}

function boundedText(maxBytes: number) {
  return (
    z
      .string()
      .min(1)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters would reach channel names and logs.
      .regex(/^[^\u0000-\u001f\u007f]*$/, 'has control characters')
      .refine(text => Buffer.byteLength(text) <= maxBytes, `is longer than ${maxBytes} bytes`)
  );
}

const claimsSchema = z.object({
  sub: boundedText(USER_ID_MAX_BYTES),
  name: boundedText(USER_NAME_MAX_BYTES).optional(),
  rooms: roomsClaimSchema.optional(),
});

/** A promise where a key has to be fetched first. */
export type TokenVerifier = (token: string) => TokenClaims | Promise<TokenClaims>;

/**
 * A verifier of HS256 tokens. The algorithm is fixed here and never taken from the token, so `alg: none` and confused
 * keys are refused.
 *
 * The verifier throws {@link HubbubError} `UNAUTHORIZED`, with a message that says what is wrong and never the token.
 */
export function createTokenVerifier(secret: string): TokenVerifier {
  const verify = createVerifier({ key: secret, algorithms: ['HS256'] });
  return token => {
    const claims = claimsSchema.safeParse(decode(verify, token));
    if (!claims.success) {
      const issue = claims.error.issues[0];
      throw new HubbubError(
        'UNAUTHORIZED',
        `The token's claim ${issue?.path.join('.')} ${issue?.message ?? 'is not valid'}.`,
      );
    }
    const { sub, name, rooms } = claims.data;
    return { user: { id: sub, name: name ?? sub }, ...(rooms !== undefined && { rooms }) };
  };
}

function decode(verify: (token: string) => unknown, token: string): unknown {
  try {
    return verify(token);
  } catch (error) {
    const expired = error instanceof TokenError && error.code === TokenError.codes.expired;
    // Without the cause: it may quote the token.
    throw new HubbubError('UNAUTHORIZED', expired ? 'The token has expired.' : 'The token is not valid.');
  }
}
