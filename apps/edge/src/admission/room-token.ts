/** Room tokens: they open one room to one user (PROTOCOL.md section 1). */
import { HubbubError, RIGHTS, type Sender } from '@hubbub/protocol';
import { z } from 'zod';
import { type ClaimsVerifier, continueWith, type VerifiedClaims } from './claims.js';
import type { Grant } from './rights.js';

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
 * const verify = createRoomTokenVerifier(keys.verifyClaims);
 * await verify(token, { id: 'alice', name: 'Alice' }, 'quiz:42'); // ['join', 'publish']
 */
export function createRoomTokenVerifier(verifyClaims: ClaimsVerifier): RoomTokenVerifier {
  return (token, user, room) => {
    const check = (verified: VerifiedClaims): Grant => grantOf(verified, user, room);
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

function grantOf({ claims, expiresAtMs }: VerifiedClaims, user: Sender, room: string): Grant {
  const parsed = claimsSchema.safeParse(claims);
  if (!parsed.success) {
    const claim = parsed.error.issues[0]?.path[0]?.toString() ?? '';
    throw forbidden(`The room token's claim ${claim} is missing or not of the right form.`);
  }
  if (expiresAtMs === undefined) throw forbidden('A room token needs an expiry: the claim exp.');
  if (parsed.data.room !== room) throw forbidden(`The room token is for another room than \`${room}\`.`);
  if (parsed.data.sub !== user.id) throw forbidden('The room token is for another user.');
  return parsed.data.rights;
}

/** `UNAUTHORIZED` is for the session's own token only: a client would renew that one. */
function toForbidden(error: unknown): unknown {
  if (!(error instanceof HubbubError) || error.code !== 'UNAUTHORIZED') return error;
  return forbidden(error.message.replace('The token', 'The room token'));
}

function forbidden(message: string): HubbubError {
  return new HubbubError('FORBIDDEN', message);
}
