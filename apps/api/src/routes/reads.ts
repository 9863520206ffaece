/** Routes that ask: the history of a room, who is in it, where a user is, how many are online. */
import { HubbubError } from '@hubbub/protocol';
import type { PresenceQueries } from '@hubbub/server';
import { z } from 'zod';
import { readHistory } from '../history-page.js';
import { parseRoom, parseUser } from '../http/fields.js';
import { type Route, route } from '../http/route.js';

const HISTORY_MAX = 1000;
const HISTORY_DEFAULT = 100;

const offset = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();
const limit = z.coerce.number().int().min(1).max(1000).default(HISTORY_DEFAULT);

const session = z.strictObject({
  session_id: z.string().describe('Unique in the cluster.'),
  node: z.string().describe('The edge that holds it.'),
});

const frame = z
  .looseObject({ room: z.string(), epoch: z.string(), offset: z.int().min(1), type: z.string() })
  .describe('As clients got it: PROTOCOL.md section 2.');

const member = z.strictObject({
  id: z.string(),
  name: z.string(),
  online: z.boolean().describe('False for members that are kept while they are away.'),
  last_seen: z.string().optional().describe('RFC 3339; of a member that is away.'),
  status: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  sessions: z.array(session).describe('Empty while the grace of a dropped connection runs.'),
});

const rosterAnswer = z.strictObject({
  room_id: z.string(),
  count: z.int().min(0).describe('Users in the room, exact; 0 for a room that nobody is in.'),
  version: z.int().min(0).describe('Counts the changes of the roster.'),
  users: z.array(member),
  next: z.string().optional().describe('There is more: ask again with `cursor` set to this.'),
});

const userAnswer = z.strictObject({
  id: z.string(),
  online: z.boolean(),
  sessions: z.array(session.extend({ rooms: z.array(z.string()) })),
});

export const readRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/rooms/{room_id}/history',
    operationId: 'readHistory',
    summary: 'Read the history of a room',
    description: 'A room without history has no messages and the epoch `""`.',
    query: z.strictObject({
      since: offset.describe('Only what follows this offset, the oldest of it; without it the newest messages.'),
      before: offset.describe('Only what precedes this offset.'),
      limit: limit.describe(`At most ${HISTORY_MAX}.`),
    }),
    answer: z.strictObject({
      room_id: z.string(),
      epoch: z.string().describe('Changes when the history was lost and began again.'),
      offset: z.int().min(0).describe('Of the newest message.'),
      messages: z.array(frame).describe('Oldest first.'),
      more: z.boolean().describe('Whether further messages exist in the direction of the request.'),
      next: offset.describe(
        'With `more`: the `since` of the next page, or its `before` where the request had no `since`.',
      ),
    }),
    async handle({ bus }, { parameters, query }) {
      const { messages, ...page } = await readHistory(bus, parseRoom(parameters.room_id), query);
      return {
        ...page,
        messages: messages.map(({ room = '', epoch = '', offset = 0, ...rest }) => ({ room, epoch, offset, ...rest })),
      };
    },
  }),
  route({
    method: 'GET',
    path: '/rooms/{room_id}/roster',
    operationId: 'readRoster',
    summary: 'List the users in a room',
    description: 'Asked of presence.',
    query: z.strictObject({
      limit: limit.describe('About so many users; a page may be up to 128 longer.'),
      cursor: z.string().max(32).optional().describe('`next` of the page before.'),
    }),
    answer: rosterAnswer,
    async handle({ presence }, { parameters, query: { cursor, ...page } }) {
      const room = parseRoom(parameters.room_id);
      const roster = await ask(presence, queries =>
        queries.roster(room, { ...page, ...(cursor !== undefined && { cursor }) }),
      );
      return readAs(rosterAnswer, { ...roster, room_id: room });
    },
  }),
  route({
    method: 'GET',
    path: '/users/{user_id}',
    operationId: 'readUser',
    summary: 'Where a user is: sessions, edges, rooms',
    description: 'Asked of presence. An unknown user is offline.',
    answer: userAnswer,
    async handle({ presence }, { parameters }) {
      const id = parseUser(parameters.user_id);
      return readAs(userAnswer, { ...(await ask(presence, queries => queries.user(id))), id });
    },
  }),
  route({
    method: 'GET',
    path: '/online',
    operationId: 'countOnline',
    summary: 'How many users are online',
    answer: z.strictObject({
      online: z.int().min(0).describe('Users online in the whole cluster; at most about two seconds old.'),
    }),
    handle: async ({ bus }) => ({ online: await bus.online.total() }),
  }),
];

/** Hides from clients that presence rejected the key of this process: to them presence is unavailable. */
async function ask<Answer>(
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
  throw new HubbubError('UNAVAILABLE', 'Presence answers something else than it should.', { cause: result.error });
}
