/** Routes that publish: to a room, to a user, to all, and many messages in one request. */
import { z } from 'zod';
import { messageFields, parseRoom, parseUser } from '../http/fields.js';
import { type Route, route } from '../http/route.js';
import { addressedMessage, batchRoute, targetOf } from './batch.js';
import { publicationOf } from './publication.js';

const message = z.strictObject(messageFields);

export const published = {
  repeated: z
    .boolean()
    .describe('The idempotency key was known: this is what became of the first one, and nothing more was published.'),
};

const position = {
  epoch: z.string().optional().describe('Of the history, where the room has one.'),
  offset: z.int().min(1).optional().describe('Position in the history, where the room has one.'),
};

export const messageRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/rooms/{room_id}/messages',
    operationId: 'publishToRoom',
    summary: 'To every session in a room',
    description: 'Into its history too, where its namespace has one.',
    takesKey: true,
    body: message,
    answer: z.strictObject({ room_id: z.string(), ...position, ...published }),
    async handle({ publishing }, { parameters, body, key }) {
      const room = parseRoom(parameters.room_id);
      const { epoch, offset, repeated } = await publishing.publish({ kind: 'room', room }, publicationOf(body, key));
      return { room_id: room, ...(epoch !== undefined && { epoch, offset }), repeated: repeated === true };
    },
  }),
  route({
    method: 'POST',
    path: '/users/{user_id}/messages',
    operationId: 'publishToUser',
    summary: 'To every session of a user',
    takesKey: true,
    body: message,
    answer: z.strictObject({ user_id: z.string(), ...published }),
    async handle({ publishing }, { parameters, body, key }) {
      const user = parseUser(parameters.user_id);
      const { repeated } = await publishing.publish({ kind: 'user', user }, publicationOf(body, key));
      return { user_id: user, repeated: repeated === true };
    },
  }),
  route({
    method: 'POST',
    path: '/messages',
    operationId: 'publish',
    summary: 'Publish to the target in the body: a room, a user, or every session of the cluster',
    description:
      'The body names the target, everybody too: a client library makes this path of `/users/../messages`, and a mistake in an id must not reach everybody.',
    takesKey: true,
    body: addressedMessage,
    answer: z.strictObject({ ...position, ...published }),
    async handle({ publishing }, { body: { room_id, user_id, all: _, ...body }, key }) {
      const target = targetOf({ room_id, user_id });
      const { epoch, offset, repeated } = await publishing.publish(target, publicationOf(body, key));
      return { ...(epoch !== undefined && { epoch, offset }), repeated: repeated === true };
    },
  }),
  batchRoute,
];
