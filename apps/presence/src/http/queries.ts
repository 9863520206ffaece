/** What may be asked of presence over HTTP, checked. */
import { HubbubError, isRoomName, userIdProblem } from '@hubbub/protocol';
import { z } from 'zod';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;

const page = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_PAGE)
    .default(DEFAULT_PAGE)
    .describe('About so many entries; a page may be up to 128 longer.'),
  cursor: z.string().max(32).optional().describe('`next` of the page before.'),
};

export const noQuery = z.strictObject({});

export const roomsQuery = z.strictObject({
  ...page,
  prefix: z
    .string()
    .refine(isRoomName, 'is not the beginning of a room name')
    .optional()
    .describe('Only rooms whose names begin with this; `chat:` is the namespace chat.'),
  min_count: z.coerce.number().int().min(0).default(0).describe('Only rooms with so many users or more.'),
});

export const rosterQuery = z.strictObject({
  ...page,
  online: z.enum(['true', 'false']).optional().describe('Only members that are online, or only those that are away.'),
});

/** @throws {HubbubError} `INVALID_FORMAT` naming the parameter. */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, query: URLSearchParams): z.infer<Schema> {
  const result = schema.safeParse(Object.fromEntries(query));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new HubbubError('INVALID_FORMAT', `${issue?.path.join('.') || 'query'}: ${issue?.message ?? 'is not valid'}`);
}

/** @throws {HubbubError} `INVALID_ROOM` */
export function parseRoom(room: string): string {
  if (!isRoomName(room)) throw new HubbubError('INVALID_ROOM', 'This is not a room name.');
  return room;
}

/** @throws {HubbubError} `INVALID_FORMAT` */
export function parseUser(id: string): string {
  const problem = userIdProblem(id);
  if (problem !== undefined) throw new HubbubError('INVALID_FORMAT', `The user's id ${problem}.`);
  return id;
}
