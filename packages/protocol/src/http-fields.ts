/**
 * Fields of HTTP requests and answers, as schemas that check and describe them. An entry of its own
 * (`@hubbub/protocol/http-fields`): the API and presence use it, browsers do not carry it.
 */
import { z } from 'zod';
import { userIdProblem } from './identifiers.js';
import { USER_ID_MAX_BYTES } from './limits.js';
import { ROOM_NAME, ROOM_NAME_MAX_BYTES } from './room-name.js';
import { isText } from './text.js';

const PAGE_MAX = 1000;
const PAGE_DEFAULT = 100;

/** Text of 1 to `maxBytes` bytes in UTF-8. JSON Schema counts characters, of which there are at most as many. */
export function text(maxBytes: number) {
  const error = `expected text of 1 to ${maxBytes} bytes`;
  return z
    .string({ error })
    .min(1, { error })
    .max(maxBytes, { error })
    .refine(value => isText(value, maxBytes), { error });
}

export const roomId = z
  .string({ error: 'expected a room name' })
  .min(1, { error: 'expected a room name' })
  .max(ROOM_NAME_MAX_BYTES, { error: `expected a room name of at most ${ROOM_NAME_MAX_BYTES} bytes` })
  .regex(ROOM_NAME, { error: 'is not a room name' })
  .describe('Name of a room, such as `general` or `chat:42`.');

export const userId = text(USER_ID_MAX_BYTES)
  .superRefine((id, context) => {
    const problem = userIdProblem(id);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .describe("The user's id: `sub` of its tokens.");

/** The number of items on a page. */
export const pageLimit = z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT);

/** The query of a list that presence returns page by page. */
export const presencePage = {
  limit: pageLimit.describe('Approximate number of entries; a page may be up to 128 longer.'),
  cursor: z.string().max(32).optional().describe('`next` of the previous page.'),
};

/** In an answer: the next page. */
export const nextCursor = z.string().optional().describe('There are more entries: request them with this `cursor`.');

export const onlineAnswer = z.strictObject({
  online: z.int().min(0).describe('Users online in the whole cluster; at most about two seconds old.'),
});

const session = z.strictObject({
  session_id: z.string().describe('Unique in the cluster.'),
  node: z.string().describe('The edge that holds it.'),
});

const member = z.strictObject({
  id: z.string(),
  name: z.string(),
  online: z.boolean().describe('False for members that are kept while they are away.'),
  last_seen: z.string().optional().describe('RFC 3339: when the last connection of an absent member ended.'),
  status: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  sessions: z.array(session).describe('Empty during the grace time of a dropped connection.'),
});

export const rosterAnswer = z.strictObject({
  room_id: z.string(),
  count: z.int().min(0).describe('Exact number of users in the room; 0 for an empty room.'),
  version: z.int().min(0).describe('Counts the changes of the roster.'),
  users: z.array(member),
  next: nextCursor,
});

export const userAnswer = z.strictObject({
  id: z.string(),
  online: z.boolean(),
  sessions: z.array(session.extend({ rooms: z.array(z.string()) })),
});
