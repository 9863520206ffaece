/** Routes that remove clients from rooms, and disconnect them from the cluster (PROTOCOL.md section 7.2). */
import { roomId, userId } from '@hubbub/protocol/http-fields';
import type { Route } from '@hubbub/runtime/http';
import { z } from 'zod';
import { apiRoute, type RouteParts } from './api-route.js';
import { idempotencyKey, reason, repeated } from './fields.js';

const fields = { reason, idempotency_key: idempotencyKey };
const common = { method: 'POST', operation: 'control', takesKey: true, failures: [503] } as const;

export function controlRoutes({ publishing }: RouteParts): readonly Route[] {
  return [
    apiRoute({
      ...common,
      path: '/rooms/{room_id}/close',
      operationId: 'closeRoom',
      summary: 'Removes everybody from a room',
      description: 'Members get `room_closed`. A later join opens the room again.',
      takes: z.strictObject({ room_id: roomId, ...fields }),
      answer: z.strictObject({ room_id: z.string(), repeated }),
      async handle({ room_id, reason: why }, key) {
        const outcome = await publishing.control({ do: 'close_room', room: room_id, reason: why }, key);
        return { room_id, repeated: outcome.repeated === true };
      },
    }),
    apiRoute({
      ...common,
      path: '/rooms/{room_id}/users/{user_id}/remove',
      operationId: 'removeFromRoom',
      summary: 'Removes a user from a room, with every session',
      takes: z.strictObject({ room_id: roomId, user_id: userId, ...fields }),
      answer: z.strictObject({ room_id: z.string(), user_id: z.string(), repeated }),
      async handle({ room_id, user_id, reason: why }, key) {
        const request = { do: 'remove_user', room: room_id, user: user_id, reason: why } as const;
        const outcome = await publishing.control(request, key);
        return { room_id, user_id, repeated: outcome.repeated === true };
      },
    }),
    apiRoute({
      ...common,
      path: '/users/{user_id}/disconnect',
      operationId: 'disconnectUser',
      summary: 'Ends every session of a user',
      description: 'With the close code 4200, after which clients do not reconnect by themselves. Tokens stay valid.',
      takes: z.strictObject({ user_id: userId, ...fields }),
      answer: z.strictObject({ user_id: z.string(), repeated }),
      async handle({ user_id, reason: why }, key) {
        const outcome = await publishing.control({ do: 'disconnect_user', user: user_id, reason: why }, key);
        return { user_id, repeated: outcome.repeated === true };
      },
    }),
  ];
}
