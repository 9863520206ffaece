/** Routes that mint tokens, for back ends whose language has no library for it. */
import { ANONYMOUS_PREFIX, HubbubError, isAnonymousId, RIGHTS } from '@hubbub/protocol';
import { roomId, userId } from '@hubbub/protocol/http-fields';
import type { Route } from '@hubbub/runtime/http';
import type { TokenMint } from '@hubbub/server';
import { z } from 'zod';
import { apiRoute, type RouteParts } from './api-route.js';

const DAY_MS = 86_400_000;

const rightsList = z.array(z.enum(RIGHTS));
const ttl = (defaultMs: number) =>
  z.int().min(1000).max(DAY_MS).default(defaultMs).describe('Lifetime in milliseconds; at most a day.');

const answer = z.strictObject({ token: z.string(), expires_at: z.string().describe('RFC 3339.') });

export function tokenRoutes({ mint }: RouteParts): readonly Route[] {
  return [
    apiRoute({
      method: 'POST',
      path: '/users/{user_id}/tokens',
      operationId: 'mintSessionToken',
      summary: 'A token that a user connects with',
      description: 'Only if HUBBUB_API_TOKENS is true.',
      failures: [],
      operation: 'tokens',
      takes: z.strictObject({
        user_id: userId,
        name: z.string().min(1).max(128).optional().describe("The user's name as others see it; absent: the id."),
        role: z.string().min(1).optional(),
        rooms: z
          .union([z.array(z.string()), z.record(z.string(), rightsList)])
          .optional()
          .describe(
            'Patterns of rooms, such as `chat:*`, or rights by pattern. Absent: every room of a public namespace.',
          ),
        ttl_ms: ttl(900_000),
      }),
      answer,
      async handle({ user_id, ttl_ms: ttlMs, name, role, rooms }) {
        const user = subject(user_id);
        const optional = {
          ...(name !== undefined && { name }),
          ...(role !== undefined && { role }),
          ...(rooms !== undefined && { rooms }),
        };
        return minted(mint, ttlMs, by => by.session({ user, ttlMs, ...optional }));
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/rooms/{room_id}/tokens',
      operationId: 'mintRoomToken',
      summary: 'A token that admits one user to one room',
      description: 'Only if HUBBUB_API_TOKENS is true. PROTOCOL.md section 1 describes its use.',
      failures: [],
      operation: 'tokens',
      takes: z.strictObject({
        room_id: roomId,
        user_id: userId,
        rights: rightsList.optional().describe('Absent: all.'),
        ttl_ms: ttl(60_000),
      }),
      answer,
      async handle({ room_id: room, user_id, ttl_ms: ttlMs, rights }) {
        const user = subject(user_id);
        return minted(mint, ttlMs, by => by.room({ user, room, ttlMs, ...(rights !== undefined && { rights }) }));
      },
    }),
  ];
}

/** @throws {HubbubError} `FORBIDDEN` where this process mints none */
function minted(mint: TokenMint | undefined, ttlMs: number, make: (mint: TokenMint) => string): z.infer<typeof answer> {
  if (mint === undefined)
    throw new HubbubError('FORBIDDEN', 'HUBBUB_API_TOKENS is not true: this API mints no tokens.');
  // Rounded down to the second, as in the token: the answer never promises a longer life.
  const expiresAtMs = Math.floor((Date.now() + ttlMs) / 1000) * 1000;
  return { token: make(mint), expires_at: new Date(expiresAtMs).toISOString() };
}

/** Ids that begin like this are the edges' own (PROTOCOL.md section 1): they would refuse the token. */
function subject(user: string): string {
  if (!isAnonymousId(user)) return user;
  throw new HubbubError('INVALID_FORMAT', `A user's id does not begin with ${ANONYMOUS_PREFIX}`);
}
