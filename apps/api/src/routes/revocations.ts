/** Routes that revoke tokens and block users (PROTOCOL.md section 1.2). */
import { HubbubError, TOKEN_ID_MAX_BYTES } from '@hubbub/protocol';
import { text, userId } from '@hubbub/protocol/http-fields';
import type { Route } from '@hubbub/runtime/http';
import { z } from 'zod';
import { apiRoute, type RouteParts } from './api-route.js';

const YEAR_MS = 366 * 86_400_000;

const jti = text(TOKEN_ID_MAX_BYTES)
  .optional()
  .describe('Only the token with this `jti`. Absent: all issued up to now.');
const withdrawn = z.boolean().describe('Whether there was one.');
const common = { operation: 'revoke', failures: [503] } as const;

export function revocationRoutes({ access, revocationTtlMs }: RouteParts): readonly Route[] {
  return [
    apiRoute({
      ...common,
      method: 'POST',
      path: '/users/{user_id}/revoke',
      operationId: 'revokeTokens',
      summary: 'Revokes tokens of a user: all that were issued up to now, or one',
      description:
        'Within a second, their sessions end with the close code 4205, and every edge refuses the tokens. A token without `iat` counts as issued before.',
      takes: z.strictObject({
        user_id: userId,
        jti,
        ttl_ms: z
          .int()
          .min(1000)
          .max(YEAR_MS)
          .default(revocationTtlMs)
          .describe('How long it is kept, in milliseconds: the longest lifetime of your tokens.'),
      }),
      answer: z.strictObject({ user_id: z.string(), jti: z.string().optional() }),
      async handle({ user_id, jti: id, ttl_ms: ttlMs }) {
        const selection = id === undefined ? {} : { jti: id };
        await access.revokeTokens(user_id, { ttlMs, ...selection });
        return { user_id, ...selection };
      },
    }),
    apiRoute({
      ...common,
      method: 'DELETE',
      path: '/users/{user_id}/revoke',
      operationId: 'restoreTokens',
      summary: 'Withdraws a revocation: the tokens are valid again',
      takes: z.strictObject({ user_id: userId, jti }),
      answer: z.strictObject({ user_id: z.string(), withdrawn }),
      async handle({ user_id, jti: id }) {
        return { user_id, withdrawn: await access.restoreTokens(user_id, id === undefined ? {} : { jti: id }) };
      },
    }),
    apiRoute({
      ...common,
      method: 'POST',
      path: '/users/{user_id}/block',
      operationId: 'blockUser',
      summary: 'Blocks a user until a time',
      description:
        'Within a second, every session of the user ends with the close code 4205, and every edge answers 403, whatever the token.',
      takes: z.strictObject({
        user_id: userId,
        until: z.iso
          .datetime({ offset: true, error: 'expected a time such as 2026-01-31T12:00:00Z' })
          .describe('RFC 3339; at most 366 days from now.'),
      }),
      answer: z.strictObject({ user_id: z.string(), until: z.string() }),
      async handle({ user_id, until }) {
        const time = new Date(until);
        const inMs = time.getTime() - Date.now();
        if (inMs < 1 || inMs > YEAR_MS) {
          throw new HubbubError('INVALID_FORMAT', 'until: expected a time from now to 366 days from now');
        }
        await access.blockUser(user_id, time);
        return { user_id, until: time.toISOString() };
      },
    }),
    apiRoute({
      ...common,
      method: 'DELETE',
      path: '/users/{user_id}/block',
      operationId: 'unblockUser',
      summary: 'Ends the block of a user',
      takes: z.strictObject({ user_id: userId }),
      answer: z.strictObject({ user_id: z.string(), withdrawn }),
      handle: async ({ user_id }) => ({ user_id, withdrawn: await access.unblockUser(user_id) }),
    }),
  ];
}
