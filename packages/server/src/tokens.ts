/** Mints tokens: for sessions, and for single rooms (PROTOCOL.md section 1). */
import { HubbubError, isRoomName, USER_ID_MAX_BYTES, utf8Length } from '@hubbub/protocol';
import { createSigner } from 'fast-jwt';

export type TokenAlgorithm = 'HS256' | 'HS384' | 'HS512' | 'RS256' | 'PS256' | 'ES256' | 'EdDSA';
export type Right = 'join' | 'publish' | 'event' | 'presence' | 'history';

export interface TokenMintOptions {
  /** HUBBUB_JWT_SECRET of the edges, or a private key (PEM) whose public key they have. */
  readonly key: string;
  /** What the edges expect of the key. Default HS256. */
  readonly algorithm?: TokenAlgorithm;
  /** `kid`, for keys of a key set. */
  readonly keyId?: string;
  /** HUBBUB_JWT_ISSUER of the edges, where they ask for one. */
  readonly issuer?: string;
  /** One of HUBBUB_JWT_AUDIENCE of the edges, where they ask for one. */
  readonly audience?: string;
}

export interface SessionToken {
  /** The user's id: 1 to 128 bytes. */
  readonly user: string;
  /** As others see it; the id when not given. */
  readonly name?: string;
  readonly role?: string;
  /** Patterns of rooms (every right), or rights by pattern. Not given: every room of a public namespace. */
  readonly rooms?: readonly string[] | Readonly<Record<string, readonly Right[]>>;
  /** How long it is valid. Default 15 minutes: sessions renew it. */
  readonly ttlMs?: number;
}

export interface RoomToken {
  readonly user: string;
  readonly room: string;
  /** All when not given. */
  readonly rights?: readonly Right[];
  /** How long it opens the room. Default one minute: it is asked for at the join only. */
  readonly ttlMs?: number;
}

const SESSION_TTL_MS = 15 * 60_000;
const ROOM_TTL_MS = 60_000;

export interface TokenMint {
  /**
   * @throws {HubbubError} `INVALID_FORMAT`
   * @example mint.session({ user: 'u1', name: 'One', rooms: ['chat:*'] })
   */
  session(token: SessionToken): string;
  /**
   * @throws {HubbubError} `INVALID_FORMAT`, `INVALID_ROOM`
   * @example mint.room({ user: 'u1', room: 'board:42', rights: ['join', 'history'] })
   */
  room(token: RoomToken): string;
}

/** @throws {Error} when the key is not one of the algorithm. */
export function createTokenMint({ key, algorithm = 'HS256', keyId, issuer, audience }: TokenMintOptions): TokenMint {
  const sign = createSigner({
    key,
    algorithm,
    ...(keyId !== undefined && { kid: keyId }),
    ...(issuer !== undefined && { iss: issuer }),
    ...(audience !== undefined && { aud: audience }),
  });
  const signFor = (ttlMs: number, claims: Record<string, unknown>): string => {
    if (!Number.isFinite(ttlMs) || ttlMs <= 0)
      throw new HubbubError('INVALID_FORMAT', 'ttlMs: expected a number above 0');
    const given = Object.entries(claims).filter(([, value]) => value !== undefined);
    const issuedAtSeconds = Math.floor(Date.now() / 1000);
    return sign({
      ...Object.fromEntries(given),
      iat: issuedAtSeconds,
      exp: Math.ceil((Date.now() + ttlMs) / 1000),
    });
  };
  return {
    session: ({ user, name, role, rooms, ttlMs = SESSION_TTL_MS }) =>
      signFor(ttlMs, { sub: userId(user), name, role, rooms }),
    room({ user, room, rights, ttlMs = ROOM_TTL_MS }) {
      if (typeof room !== 'string' || !isRoomName(room)) {
        throw new HubbubError('INVALID_ROOM', `No room name: ${JSON.stringify(room)}`);
      }
      return signFor(ttlMs, { sub: userId(user), room, rights });
    },
  };
}

function userId(user: unknown): string {
  if (typeof user === 'string' && user !== '' && utf8Length(user) <= USER_ID_MAX_BYTES) return user;
  throw new HubbubError('INVALID_FORMAT', `user: expected 1 to ${USER_ID_MAX_BYTES} bytes of text`);
}
