/** Fields that several routes take, checked and described. */
import {
  CONFLATION_KEY_MAX_BYTES,
  CONTROL_REASON_MAX_BYTES,
  FRAME_ID_MAX_BYTES,
  HubbubError,
  isPlainObject,
  isRoomName,
  isText,
  type Payload,
  USER_ID_MAX_BYTES,
  userIdProblem,
  utf8Length,
} from '@hubbub/protocol';
import { z } from 'zod';
import { KEY_MAX_LENGTH, KEY_PATTERN } from '../idempotency.js';

/** Text of 1 to so many bytes in UTF-8; JSON Schema counts characters, of which there are no more. */
function text(maxBytes: number) {
  const error = `expected text of 1 to ${maxBytes} bytes`;
  return z
    .string({ error })
    .min(1, { error })
    .max(maxBytes, { error })
    .refine(value => isText(value, maxBytes), { error });
}

export const roomId = z
  .string({ error: 'expected text' })
  .min(1)
  .max(128)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.:@~=+-]*$/, { error: 'is not a room name' })
  .describe('Name of a room, such as `general` or `chat:42`.');

export const userId = text(USER_ID_MAX_BYTES)
  .superRefine((id, context) => {
    const problem = userIdProblem(id);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .describe("The user's id: `sub` of its tokens.");

export const reason = z
  .string({ error: 'expected text' })
  .max(CONTROL_REASON_MAX_BYTES, { error: `expected at most ${CONTROL_REASON_MAX_BYTES} bytes` })
  .refine(value => utf8Length(value) <= CONTROL_REASON_MAX_BYTES, {
    error: `expected at most ${CONTROL_REASON_MAX_BYTES} bytes`,
  })
  .optional()
  .describe('Shown to the clients.');

export const idempotencyKey = z
  .string({ error: 'expected text' })
  .regex(KEY_PATTERN, { error: `expected 1 to ${KEY_MAX_LENGTH} visible ASCII characters` })
  .optional()
  .describe('As the header Idempotency-Key, for programs that cannot set one.');

/** A message as docs/redis-contract.md has it. */
export const messageFields = {
  type: z
    .string({ error: 'expected text' })
    .max(64, { error: 'expected at most 64 bytes' })
    .regex(/^(?!hubbub\.)[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/, {
      error: 'expected a name such as build.finished, and none that begins with hubbub.',
    })
    .describe('Type of the frame that clients get, such as `build.finished`.'),
  payload: z
    .custom<Payload>(isPlainObject, { error: 'expected an object' })
    .optional()
    .meta({ type: 'object', description: 'Nested at most 64 levels deep; without the key `__proto__`.' }),
  id: text(FRAME_ID_MAX_BYTES).optional().describe('Names the message for those who get it.'),
  sender: z
    .strictObject({ id: z.string(), name: z.string() })
    .optional()
    .describe('On whose behalf; nobody’s when absent.'),
  timestamp: z.string().optional().describe('RFC 3339; now when absent.'),
  key: text(CONFLATION_KEY_MAX_BYTES)
    .optional()
    .describe('In a room whose namespace conflates: a newer message of the key takes the place of this one.'),
  exclude_session: text(256).optional().describe('A session that does not get it.'),
  exclude_user: userId.optional().describe('A user whose sessions do not get it.'),
  idempotency_key: idempotencyKey,
};

/**
 * The value as the schema reads it.
 * @throws {HubbubError} `INVALID_PAYLOAD` for a payload, `INVALID_ROOM` for a room, else `INVALID_FORMAT`; the message names the field.
 */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, whole: string): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') || whole;
  const code =
    issue?.path[0] === 'payload' ? 'INVALID_PAYLOAD' : issue?.path[0] === 'room_id' ? 'INVALID_ROOM' : 'INVALID_FORMAT';
  throw new HubbubError(code, `${field}: ${issue?.message ?? 'is not valid'}`);
}

/** @throws {HubbubError} `INVALID_ROOM` */
export function parseRoom(room: string | undefined): string {
  if (room !== undefined && isRoomName(room)) return room;
  throw new HubbubError('INVALID_ROOM', 'The path names no room: see PROTOCOL.md section 5.');
}

/** @throws {HubbubError} `INVALID_FORMAT` */
export function parseUser(id: string | undefined): string {
  const problem = userIdProblem(id);
  if (problem === undefined) return id as string;
  throw new HubbubError('INVALID_FORMAT', `user_id: ${problem}`);
}
