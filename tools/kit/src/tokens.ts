/** Tokens (HS256), as a back end would sign them. */
import { createSigner } from 'fast-jwt';

/** Long enough for production (32 bytes). */
export const TEST_JWT_SECRET = 'a-secret-of-the-tests-with-at-least-32-bytes';

export interface TokenRequest {
  /** The user's id, the claim `sub`. */
  readonly user: string;
  readonly name?: string | undefined;
  readonly rooms?: readonly string[] | Readonly<Record<string, readonly string[]>> | undefined;
  /** Default 1 h; negative for a token that has expired. */
  readonly ttlMs?: number | undefined;
  /** Default: the secret of every cluster of the kit. */
  readonly secret?: string | undefined;
}

type Sign = (claims: object) => string;
/** Load processes sign thousands of tokens with one secret. */
const signers = new Map<string, Sign>();

export function signToken({ user, name, rooms, ttlMs = 3_600_000, secret = TEST_JWT_SECRET }: TokenRequest): string {
  const issuedAt = Math.floor(Date.now() / 1000);
  const sign = signers.get(secret) ?? createSigner({ key: secret, algorithm: 'HS256' });
  signers.set(secret, sign);
  return sign({
    sub: user,
    iat: issuedAt,
    exp: issuedAt + Math.floor(ttlMs / 1000),
    ...(name !== undefined && { name }),
    ...(rooms !== undefined && { rooms }),
  });
}
