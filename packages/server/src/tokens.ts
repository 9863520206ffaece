/** Mints tokens: for sessions, and for single rooms (PROTOCOL.md section 1). */
import { HubbubError, isAnonymousId, isRoomPattern, type Right, readUserName } from '@hubbub/protocol';
import { createSigner } from 'fast-jwt';
import { fieldsOf, listOfRights, roomName, text, userId, wrong } from './checks.js';

export type TokenAlgorithm = 'HS256' | 'HS384' | 'HS512' | 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

export interface TokenMintOptions {
  /** HUBBUB_JWT_SECRET of the edges, or a private key (PEM) whose public key they have. */
  readonly key: string;
  /** The algorithm that the edges expect. Default HS256. */
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
const ALGORITHMS: ReadonlySet<unknown> = new Set(['HS256', 'HS384', 'HS512', 'RS256', 'PS256', 'ES256', 'EdDSA']);
const ROLE_MAX_BYTES = 128;
const URL_MAX_BYTES = 1024;
const KEY_MAX_BYTES = 65_536;

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

/**
 * @throws {HubbubError} `INVALID_FORMAT` when the key is not one of the algorithm.
 * @example const mint = createTokenMint({ key: secret });
 */
export function createTokenMint(options: TokenMintOptions): TokenMint {
  const sign = openSigner(options);
  const signFor = (ttlMs: number, claims: Record<string, unknown>): string => {
    if (!Number.isFinite(ttlMs) || ttlMs <= 0) throw wrong('ttlMs', 'expected a number above 0');
    const given = Object.entries(claims).filter(([, value]) => value !== undefined);
    const issuedAtSeconds = Math.floor(Date.now() / 1000);
    return sign({
      ...Object.fromEntries(given),
      iat: issuedAtSeconds,
      exp: Math.ceil((Date.now() + ttlMs) / 1000),
    });
  };
  return {
    session: token => {
      const { user, name, role, rooms, ttlMs = SESSION_TTL_MS } = fieldsOf('token', token);
      return signFor(ttlMs, {
        sub: sessionUser(user),
        name: name === undefined ? undefined : userName(name),
        role: role === undefined ? undefined : text('role', role, ROLE_MAX_BYTES),
        rooms: rooms === undefined ? undefined : roomsClaim(rooms),
      });
    },
    room: token => {
      const { user, room, rights, ttlMs = ROOM_TTL_MS } = fieldsOf('token', token);
      return signFor(ttlMs, {
        sub: userId('user', user),
        room: roomName(room),
        rights: rights === undefined ? undefined : listOfRights('rights', rights),
      });
    },
  };
}

function openSigner(options: TokenMintOptions): (claims: object) => string {
  const { key, algorithm = 'HS256', keyId, issuer, audience } = fieldsOf('options', options);
  if (!ALGORITHMS.has(algorithm)) throw wrong('algorithm', `expected one of ${[...ALGORITHMS].join(', ')}`);
  if (algorithm.startsWith('HS') && String(key).includes('-----BEGIN')) {
    throw wrong('key', `a PEM is not a secret: name its algorithm instead of ${algorithm}`);
  }
  const kid = keyId === undefined ? {} : { kid: text('keyId', keyId, ROLE_MAX_BYTES) };
  const iss = issuer === undefined ? {} : { iss: text('issuer', issuer, URL_MAX_BYTES) };
  const aud = audience === undefined ? {} : { aud: text('audience', audience, URL_MAX_BYTES) };
  try {
    const sign = createSigner({ key: text('key', key, KEY_MAX_BYTES), algorithm, ...kid, ...iss, ...aud });
    sign({}); // Whether a key fits its algorithm shows when it signs.
    return sign;
  } catch (cause) {
    if (cause instanceof HubbubError) throw cause;
    throw new HubbubError('INVALID_FORMAT', `key: expected a key of ${algorithm}`, { cause });
  }
}

/** The prefix is that of sessions without a token: edges refuse who claims it. */
function sessionUser(user: unknown): string {
  const id = userId('user', user);
  if (isAnonymousId(id)) throw wrong('user', 'begins with anonymous:, as only sessions without a token do');
  return id;
}

function userName(value: unknown): string {
  const read = readUserName(value);
  if ('name' in read) return read.name;
  throw wrong('name', `expected a name; this ${read.problem}`);
}

function roomsClaim(rooms: NonNullable<SessionToken['rooms']>): NonNullable<SessionToken['rooms']> {
  if (Array.isArray(rooms)) {
    for (const pattern of rooms) roomPattern(pattern);
    return rooms;
  }
  if (typeof rooms === 'object' && rooms !== null) {
    for (const [pattern, rights] of Object.entries(rooms)) listOfRights(`rooms.${roomPattern(pattern)}`, rights);
    return rooms;
  }
  throw wrong('rooms', 'expected a list of patterns, or an object from pattern to rights');
}

/** A pattern that matches no room is a mistake: an id that no room's name can hold, or a `*` before the end. */
function roomPattern(pattern: unknown): string {
  if (isRoomPattern(pattern)) return pattern;
  throw wrong('rooms', `expected names of rooms, or the beginning of one and a *; got ${JSON.stringify(pattern)}`);
}
