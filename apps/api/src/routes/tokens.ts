/** Routes that mint tokens, for back ends whose language has no library for it at hand. */
import { ANONYMOUS_PREFIX, HubbubError, isAnonymousId } from '@hubbub/protocol';
import type { TokenMint } from '@hubbub/server';
import { z } from 'zod';
import { parseRoom, parseUser, userId } from '../http/fields.js';
import { type Route, type RouteParts, route } from '../http/route.js';

const DAY_MS = 86_400_000;

const right = z.enum(['join', 'publish', 'event', 'presence', 'history']);
const rights = z.array(right);
const ttl = (defaultMs: number) =>
  z.int().min(1000).max(DAY_MS).default(defaultMs).describe('How long it is valid, in milliseconds; at most a day.');

const answer = z.strictObject({ token: z.string(), expires_at: z.string().describe('RFC 3339.') });

export const tokenRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/users/{user_id}/tokens',
    operationId: 'mintSessionToken',
    summary: 'A token for a user to connect with',
    description: 'Where HUBBUB_API_TOKENS is true.',
    refusals: [403],
    asksOthers: false,
    bodyOptional: true,
    body: z.strictObject({
      name: z.string().min(1).max(128).optional().describe('As others see the user; the id when absent.'),
      role: z.string().min(1).optional(),
      rooms: z
        .union([z.array(z.string()), z.record(z.string(), rights)])
        .optional()
        .describe(
          'Patterns of rooms, such as `chat:*`, or rights by pattern. Absent: every room of a public namespace.',
        ),
      ttl_ms: ttl(900_000),
    }),
    answer,
    async handle(parts, { parameters, body: { ttl_ms, name, role, rooms } }) {
      const user = subject(parameters.user_id);
      const optional = { ...(name !== undefined && { name }), ...(role !== undefined && { role }) };
      return minted(parts, ttl_ms, mint =>
        mint.session({ user, ttlMs: ttl_ms, ...optional, ...(rooms !== undefined && { rooms }) }),
      );
    },
  }),
  route({
    method: 'POST',
    path: '/rooms/{room_id}/tokens',
    operationId: 'mintRoomToken',
    summary: 'A token that opens one room to one user',
    description: 'Where HUBBUB_API_TOKENS is true. PROTOCOL.md section 1 describes its use.',
    refusals: [403],
    asksOthers: false,
    body: z.strictObject({
      user_id: userId,
      rights: rights.optional().describe('All when absent.'),
      ttl_ms: ttl(60_000),
    }),
    answer,
    async handle(parts, { parameters, body: { user_id, ttl_ms, rights: some } }) {
      const room = parseRoom(parameters.room_id);
      const user = subject(user_id);
      return minted(parts, ttl_ms, mint =>
        mint.room({ user, room, ttlMs: ttl_ms, ...(some !== undefined && { rights: some }) }),
      );
    },
  }),
];

/** @throws {HubbubError} `FORBIDDEN` where this process mints none */
function minted({ mint }: RouteParts, ttlMs: number, make: (mint: TokenMint) => string): z.infer<typeof answer> {
  if (mint === undefined)
    throw new HubbubError('FORBIDDEN', 'HUBBUB_API_TOKENS is not true: no tokens are minted here.');
  // Rounded down to the second, as in the token: the answer never promises a longer life.
  const expiresAtMs = Math.floor((Date.now() + ttlMs) / 1000) * 1000;
  return { token: make(mint), expires_at: new Date(expiresAtMs).toISOString() };
}

/** Ids that begin like this are the edges' own (PROTOCOL.md section 1): they would refuse the token. */
function subject(id: string | undefined): string {
  const user = parseUser(id);
  if (!isAnonymousId(user)) return user;
  throw new HubbubError('INVALID_FORMAT', `A user's id does not begin with ${ANONYMOUS_PREFIX}`);
}
