/** Routes that read: the history of a room, its members, where a user is, how many are online. */
import { HubbubError } from '@hubbub/protocol';
import {
  onlineAnswer,
  pageLimit,
  presencePage,
  roomId,
  rosterAnswer,
  userAnswer,
  userId,
} from '@hubbub/protocol/http-fields';
import { eventStream, type Route } from '@hubbub/runtime/http';
import type { PresenceQueries } from '@hubbub/server';
import { z } from 'zod';
import { readHistory } from '../history-page.js';
import { apiRoute, type RouteParts } from './api-route.js';

const offset = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();

const frame = z
  .looseObject({ room: z.string(), epoch: z.string(), offset: z.int().min(1), type: z.string() })
  .describe('As clients receive it: PROTOCOL.md section 2.');

export function readRoutes({ brokerClient, presence, tails }: RouteParts): readonly Route[] {
  return [
    apiRoute({
      method: 'GET',
      operation: 'read',
      path: '/rooms/{room_id}/history',
      operationId: 'readHistory',
      summary: 'Read the history of a room',
      description: 'A room without history has no messages and the epoch `""`.',
      failures: [503],
      takes: z.strictObject({
        room_id: roomId,
        since: offset.describe('Only messages after this offset, the oldest first; without it, the newest messages.'),
        before: offset.describe('Only messages before this offset.'),
        limit: pageLimit.describe('Maximum number of messages.'),
      }),
      answer: z.strictObject({
        room_id: z.string(),
        epoch: z.string().describe('Changes when the history was lost and began again.'),
        offset: z.int().min(0).describe('Of the newest message.'),
        messages: z.array(frame).describe('Oldest first.'),
        more: z.boolean().describe('Whether further messages exist in the direction of the request.'),
        next: offset.describe(
          'With `more`: the `since` of the next page, or its `before` if the request had no `since`.',
        ),
      }),
      async handle({ room_id, ...query }) {
        const { messages, ...page } = await readHistory(brokerClient, room_id, query);
        return {
          ...page,
          messages: messages.map(({ room = '', epoch = '', offset: at = 0, ...rest }) => ({
            room,
            epoch,
            offset: at,
            ...rest,
          })),
        };
      },
    }),
    apiRoute({
      method: 'GET',
      operation: 'read',
      path: '/rooms/{room_id}/roster',
      operationId: 'readRoster',
      summary: 'List the users in a room',
      description: 'Presence answers it.',
      failures: [503],
      takes: z.strictObject({ room_id: roomId, ...presencePage }),
      answer: rosterAnswer,
      async handle({ room_id, cursor, limit }) {
        const page = { limit, ...(cursor !== undefined && { cursor }) };
        return readAs(rosterAnswer, {
          ...(await askPresence(presence, queries => queries.roster(room_id, page))),
          room_id,
        });
      },
    }),
    apiRoute({
      method: 'GET',
      operation: 'read',
      path: '/rooms/{room_id}/tail',
      operationId: 'tailRoom',
      summary: 'Follow what is published to a room',
      description:
        'Server-sent events without end: `following`, `message` (frame or control, as it travels), `gap`, `dropped` (a slow reader), `malformed`.',
      failures: [503],
      takes: z.strictObject({ room_id: roomId }),
      answer: eventStream,
      handle: ({ room_id }) => tails.open(room_id),
    }),
    apiRoute({
      method: 'GET',
      operation: 'read',
      path: '/users/{user_id}',
      operationId: 'readUser',
      summary: 'Where a user is: sessions, edges, rooms',
      description: 'Presence answers it. An unknown user is offline.',
      failures: [503],
      takes: z.strictObject({ user_id: userId }),
      answer: userAnswer,
      handle: async ({ user_id: id }) =>
        readAs(userAnswer, { ...(await askPresence(presence, queries => queries.user(id))), id }),
    }),
    apiRoute({
      method: 'GET',
      operation: 'read',
      path: '/online',
      operationId: 'countOnline',
      summary: 'How many users are online',
      scope: 'open',
      failures: [503],
      answer: onlineAnswer,
      handle: async () => ({ online: await brokerClient.online.total() }),
    }),
  ];
}

/** Hides from clients that presence rejected the key of this process: to them presence is unavailable. */
export async function askPresence<Answer>(
  presence: PresenceQueries | undefined,
  question: (presence: PresenceQueries) => Promise<Answer>,
): Promise<Answer> {
  if (presence === undefined) {
    throw new HubbubError('UNAVAILABLE', 'HUBBUB_PRESENCE_URL or HUBBUB_PRESENCE_API_KEYS of the API is not set.');
  }
  try {
    return await question(presence);
  } catch (error) {
    if (!(error instanceof HubbubError) || error.code !== 'UNAUTHORIZED') throw error;
    throw new HubbubError('UNAVAILABLE', 'Presence refuses the first of HUBBUB_PRESENCE_API_KEYS.', { cause: error });
  }
}

/** @throws {HubbubError} `UNAVAILABLE` for a presence of another version */
function readAs<Schema extends z.ZodType>(schema: Schema, answer: unknown): z.infer<Schema> {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  throw new HubbubError('UNAVAILABLE', 'Presence sent an unexpected answer.', { cause: result.error });
}
