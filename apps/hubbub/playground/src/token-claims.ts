/** The rights of a token, read from its claims (PROTOCOL.md sections 1.2 and 1.3). The page verifies nothing: the edge does. */
import { RIGHTS } from '@hubbub/protocol';

export interface TokenClaims {
  readonly user: string;
  readonly name: string | undefined;
  readonly expiresAt: Date | undefined;
  /** Patterns of rooms with their rights; `undefined`: every right in public rooms. */
  readonly rooms: ReadonlyArray<readonly [pattern: string, rights: readonly string[]]> | undefined;
}

/** The claim `rooms`: a list of patterns, which give every right, or an object from pattern to rights. */
function readRooms(claim: unknown): NonNullable<TokenClaims['rooms']> {
  if (Array.isArray(claim)) return claim.map(pattern => [String(pattern), RIGHTS]);
  return Object.entries(Object(claim)).map(([pattern, rights]) => [pattern, [rights].flat().map(String)]);
}

/** `undefined` for a text that is not a JSON Web Token. */
export function readTokenClaims(token: string): TokenClaims | undefined {
  try {
    const base64 = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
    const { sub, name, exp, rooms }: Partial<Record<string, unknown>> = JSON.parse(new TextDecoder().decode(bytes));
    return {
      user: String(sub),
      name: typeof name === 'string' ? name : undefined,
      expiresAt: typeof exp === 'number' ? new Date(exp * 1000) : undefined,
      rooms: rooms === undefined ? undefined : readRooms(rooms),
    };
  } catch {
    return undefined; // Not base64, or not JSON: the edge explains what is wrong with it.
  }
}
