/** Tokens for the users of a story. */
import { createSigner } from 'fast-jwt';

/** Long enough for production (32 bytes). */
export const TEST_JWT_SECRET = 'a-secret-of-the-tests-with-at-least-32-bytes';

export interface TokenRequest {
  /** The user's id, the claim `sub`. */
  readonly user: string;
  readonly name?: string;
  readonly rooms?: readonly string[] | Readonly<Record<string, readonly string[]>>;
  /** Default 1 h; negative for a token that has expired. */
  readonly ttlMs?: number;
  /** Default: the secret of every cluster of the kit. */
  readonly secret?: string;
}

/** Signs with HS256, as a back end would. */
export function signToken({ user, name, rooms, ttlMs = 3_600_000, secret = TEST_JWT_SECRET }: TokenRequest): string {
  const issuedAt = Math.floor(Date.now() / 1000);
  const sign = createSigner({ key: secret, algorithm: 'HS256' });
  return sign({
    sub: user,
    iat: issuedAt,
    exp: issuedAt + Math.floor(ttlMs / 1000),
    ...(name !== undefined && { name }),
    ...(rooms !== undefined && { rooms }),
  });
}
