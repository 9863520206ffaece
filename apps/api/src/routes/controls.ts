/** Routes that take clients out of rooms, and off the cluster (PROTOCOL.md section 7.2). */
import { z } from 'zod';
import { idempotencyKey, parseRoom, parseUser, reason } from '../http/fields.js';
import { type Route, route } from '../http/route.js';

const body = z.strictObject({ reason, idempotency_key: idempotencyKey });
const repeated = z.boolean().describe('The idempotency key was known, and nothing was done this time.');

const control = { method: 'POST', takesKey: true, bodyOptional: true, body } as const;

export const controlRoutes: readonly Route[] = [
  route({
    ...control,
    path: '/rooms/{room_id}/close',
    operationId: 'closeRoom',
    summary: 'Takes everybody out of a room',
    description: 'Members get `room_closed`. A later join creates the room again.',
    answer: z.strictObject({ room_id: z.string(), repeated }),
    async handle({ publishing }, { parameters, body: { reason: why }, key }) {
      const room = parseRoom(parameters.room_id);
      const outcome = await publishing.control({ do: 'close_room', room, reason: why }, key);
      return { room_id: room, repeated: outcome.repeated === true };
    },
  }),
  route({
    ...control,
    path: '/rooms/{room_id}/users/{user_id}/remove',
    operationId: 'removeFromRoom',
    summary: 'Takes a user out of a room, with every session',
    answer: z.strictObject({ room_id: z.string(), user_id: z.string(), repeated }),
    async handle({ publishing }, { parameters, body: { reason: why }, key }) {
      const room = parseRoom(parameters.room_id);
      const user = parseUser(parameters.user_id);
      const outcome = await publishing.control({ do: 'remove_user', room, user, reason: why }, key);
      return { room_id: room, user_id: user, repeated: outcome.repeated === true };
    },
  }),
  route({
    ...control,
    path: '/users/{user_id}/disconnect',
    operationId: 'disconnectUser',
    summary: 'Ends every session of a user',
    description: 'With the close code 4200, after which clients do not reconnect by themselves. Tokens stay valid.',
    answer: z.strictObject({ user_id: z.string(), repeated }),
    async handle({ publishing }, { parameters, body: { reason: why }, key }) {
      const user = parseUser(parameters.user_id);
      const outcome = await publishing.control({ do: 'disconnect_user', user, reason: why }, key);
      return { user_id: user, repeated: outcome.repeated === true };
    },
  }),
];
