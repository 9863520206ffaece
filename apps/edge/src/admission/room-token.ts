/** Room tokens: they open one room to one user (PROTOCOL.md section 1). */
import { HubbubError, RIGHTS, type Sender } from '@hubbub/protocol';
import { z } from 'zod';
import { type ClaimsVerifier, continueWith, type VerifiedClaims } from './claims.js';
import type { Revocations } from './revocations.js';
import type { Grant } from './rights.js';
import { tokenIdentity } from './token-identity.js';

type RevocationCheck = Pick<Revocations, 'assertAccess'>;

const claimsSchema = z.object({
  sub: z.string(),
  room: z.string(),
  rights: z.array(z.enum(RIGHTS)).default([...RIGHTS]),
});

/**
 * The rights that the token gives this user in this room; a promise if a key must be fetched first.
 * @throws {HubbubError} `FORBIDDEN`, with a message that names the problem and never the token; `UNAVAILABLE` when no keys
 * are to be had; or rejects with it.
 */
export type RoomTokenVerifier = (token: string, user: Sender, room: string) => Grant | Promise<Grant>;

/**
 * @example
 * const verify = createRoomTokenVerifier(keys.verifyClaims, revocations);
 * await verify(token, { id: 'alice', name: 'Alice' }, 'quiz:42'); // { rights: ['join', 'publish'], … }
 */
export function createRoomTokenVerifier(verifyClaims: ClaimsVerifier, revocations: RevocationCheck): RoomTokenVerifier {
  return (token, user, room) => {
    const check = (verified: VerifiedClaims): Grant => grantOf(verified, user, room, revocations);
    let verified: VerifiedClaims | Promise<VerifiedClaims>;
    try {
      verified = verifyClaims(token);
    } catch (error) {
      throw toForbidden(error);
    }
    if (!(verified instanceof Promise)) return check(verified);
    return continueWith(
      verified.catch((error: unknown) => {
        throw toForbidden(error);
      }),
      check,
    );
  };
}

function grantOf(
  { claims, expiresAtMs }: VerifiedClaims,
  user: Sender,
  room: string,
  revocations: RevocationCheck,
): Grant {
  const parsed = claimsSchema.safeParse(claims);
  if (!parsed.success) {
    const claim = parsed.error.issues[0]?.path[0]?.toString() ?? '';
    throw forbidden(`The room token's claim ${claim} is missing or not of the right form.`);
  }
  if (expiresAtMs === undefined) throw forbidden('A room token needs an expiry: the claim exp.');
  if (parsed.data.room !== room) throw forbidden(`The room token is for another room than \`${room}\`.`);
  if (parsed.data.sub !== user.id) throw forbidden('The room token is for another user.');
  const token = tokenIdentity(claims, Date.now());
  revocations.assertAccess(user.id, token, 'room_token');
  return { rights: parsed.data.rights, token, expiresAtMs };
}

/** `UNAUTHORIZED` is for the session's own token only: a client would renew that one. */
function toForbidden(error: unknown): unknown {
  if (!(error instanceof HubbubError) || error.code !== 'UNAUTHORIZED') return error;
  return forbidden(error.message.replace('The token', 'The room token'));
}

function forbidden(message: string): HubbubError {
  return new HubbubError('FORBIDDEN', message);
}
