/** Signs tokens for people who try things out; services mint theirs with the server SDK. */
import { createSigner } from 'fast-jwt';

export interface TokenSubject {
  readonly user: string;
  readonly name?: string;
  /** Patterns of rooms, such as `chat:*`. */
  readonly rooms?: readonly string[];
  /** Such as `15m`, `1h`, `7d`. */
  readonly ttl: string;
}

/** @throws {Error} when `ttl` is not a duration. */
export function mintToken(secret: string, { user, name, rooms, ttl }: TokenSubject): string {
  if (!/^\d+ ?(ms|s|m|h|d|w|y)$/.test(ttl))
    throw new Error(`--ttl: expected a duration such as 15m, 1h or 7d, got "${ttl}"`);
  const sign = createSigner({ key: secret, algorithm: 'HS256', expiresIn: ttl });
  return sign({ sub: user, ...(name !== undefined && { name }), ...(rooms !== undefined && { rooms }) });
}
