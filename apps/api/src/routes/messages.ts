/** Routes that publish: to a room, a user, a session or all. */

import { roomId, text, userId } from '@hubbub/protocol/http-fields';
import { parseServiceMessage } from '@hubbub/protocol/service-message';
import type { Route } from '@hubbub/runtime/http';
import type { Publication } from '@hubbub/server';
import { z } from 'zod';
import type { Target } from '../publishing.js';
import { apiRoute, type RouteParts, withIdsBesidePath } from './api-route.js';
import { messageFields, repeated } from './fields.js';

/** A message that names its own target. */
export const addressedMessage = z
  .strictObject({
    room_id: roomId.optional(),
    user_id: userId.optional(),
    all: z.literal(true).optional().describe('To every session of the cluster.'),
    ...messageFields,
  })
  .refine(({ room_id, user_id, all }) => [room_id, user_id, all].filter(to => to !== undefined).length === 1, {
    error: 'expected exactly one of room_id, user_id and all',
  })
  .describe('A message and its target: exactly one of `room_id`, `user_id` and `all`.');

/** Of sessions and of nodes: as long as the server SDK takes them. */
export const NODE_MAX_BYTES = 256;
const sessionId = text(NODE_MAX_BYTES).describe('The session: `session.id` of an event.');
/** A message to one session has no exclusions and is not conflated. */
const { exclude_session: _session, exclude_user: _user, key: _key, ...sessionMessageFields } = messageFields;

type MessageBody = z.output<z.ZodObject<typeof messageFields>>;

/** Splits a request into the target, and the message as the server SDK takes it. */
export function readMessage(
  { room_id, user_id, all: _all, ...body }: z.output<typeof addressedMessage>,
  key: string | undefined,
): { readonly target: Target; readonly publication: Publication } {
  return { target: targetOf(room_id, user_id), publication: publicationOf(body, key) };
}

function targetOf(room: string | undefined, user: string | undefined): Target {
  if (room !== undefined) return { kind: 'room', room };
  return user === undefined ? { kind: 'all' } : { kind: 'user', user };
}

/**
 * Checks the message before the key is claimed: a request that is refused as malformed does not use up its key.
 * @throws {HubbubError} `INVALID_FORMAT`, `INVALID_PAYLOAD`
 */
function publicationOf(body: MessageBody, idempotencyKey: string | undefined): Publication {
  const { exclude_session, exclude_user, idempotency_key: _key, ...message } = body;
  return {
    ...parseServiceMessage(message),
    ...(exclude_session !== undefined && { excludeSession: exclude_session }),
    ...(exclude_user !== undefined && { excludeUser: exclude_user }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  };
}

const position = {
  epoch: z.string().optional().describe('Of the history, if the room has one.'),
  offset: z.int().min(1).optional().describe('Position in the history, if the room has one.'),
};
const common = { method: 'POST', operation: 'publish', takesKey: true, failures: [503] } as const;

export function messageRoutes({ publishing }: RouteParts): readonly Route[] {
  return [
    apiRoute({
      ...common,
      path: '/rooms/{room_id}/messages',
      operationId: 'publishToRoom',
      summary: 'To every session in a room',
      description: 'Also into its history, if its namespace has one.',
      takes: z.strictObject({ room_id: roomId, ...messageFields }),
      answer: z.strictObject({ room_id: z.string(), ...position, repeated }),
      async handle({ room_id, ...body }, key, { span }) {
        const published = await publishing.publish({ kind: 'room', room: room_id }, publicationOf(body, key), span);
        return { room_id, ...published, repeated: published.repeated === true };
      },
    }),
    apiRoute({
      ...common,
      path: '/users/{user_id}/messages',
      operationId: 'publishToUser',
      summary: 'To every session of a user',
      takes: z.strictObject({ user_id: userId, ...messageFields }),
      answer: z.strictObject({ user_id: z.string(), repeated }),
      async handle({ user_id, ...body }, key, { span }) {
        const published = await publishing.publish({ kind: 'user', user: user_id }, publicationOf(body, key), span);
        return { user_id, repeated: published.repeated === true };
      },
    }),
    ...withIdsBesidePath(sessionRoute(publishing)),
    apiRoute({
      ...common,
      path: '/messages',
      operationId: 'publish',
      summary: 'Publish to the target in the body: a room, a user, or every session of the cluster',
      description:
        'The body names every target, even `all`: a client library turns `/users/../messages` into this path, and a mistake in an id must not reach everybody.',
      takes: addressedMessage,
      answer: z.strictObject({ ...position, repeated }),
      async handle(body, key, { span }) {
        const { target, publication } = readMessage(body, key);
        const published = await publishing.publish(target, publication, span);
        return { ...published, repeated: published.repeated === true };
      },
    }),
  ];
}

function sessionRoute(publishing: RouteParts['publishing']): Route {
  return apiRoute({
    ...common,
    path: '/sessions/{session_id}/messages',
    operationId: 'publishToSession',
    summary: 'To one session, such as the sender of a client event',
    description: 'A session that is gone gets nothing, and the answer is the same.',
    takes: z.strictObject({
      session_id: sessionId,
      node: text(NODE_MAX_BYTES).describe('The edge that holds the session: `session.node` of an event.'),
      room_id: roomId.optional().describe('The room that the frame names.'),
      ...sessionMessageFields,
    }),
    answer: z.strictObject({ session_id: z.string(), repeated }),
    async handle({ session_id, node, room_id, ...body }, key, { span }) {
      const session = { id: session_id, node };
      const target = { kind: 'session', session, ...(room_id !== undefined && { room: room_id }) } as const;
      const published = await publishing.publish(target, publicationOf(body, key), span);
      return { session_id, repeated: published.repeated === true };
    },
  });
}
