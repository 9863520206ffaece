/** Fields that several routes take, checked and described. */
import {
  CONFLATION_KEY_MAX_BYTES,
  CONTROL_REASON_MAX_BYTES,
  type ErrorCode,
  FRAME_ID_MAX_BYTES,
  FRAME_TYPE,
  FRAME_TYPE_MAX_BYTES,
  isPlainObject,
  type Payload,
  RESERVED_TYPE_PREFIX,
  utf8Length,
} from '@hubbub/protocol';
import { text, userId } from '@hubbub/protocol/http-fields';
import { z } from 'zod';
import { KEY_MAX_LENGTH, KEY_PATTERN } from '../idempotency.js';

/** Codes of fields; a mistake in any other field is `INVALID_FORMAT`. */
export const FIELD_CODES = { payload: 'INVALID_PAYLOAD', room_id: 'INVALID_ROOM' } as const satisfies Record<
  string,
  ErrorCode
>;

const REASON_EXPECTED = `expected at most ${CONTROL_REASON_MAX_BYTES} bytes`;

export const reason = z
  .string({ error: 'expected text' })
  .max(CONTROL_REASON_MAX_BYTES, { error: REASON_EXPECTED })
  .refine(value => utf8Length(value) <= CONTROL_REASON_MAX_BYTES, { error: REASON_EXPECTED })
  .optional()
  .describe('Shown to the clients.');

export const idempotencyKey = z
  .string({ error: 'expected text' })
  .regex(KEY_PATTERN, { error: `expected 1 to ${KEY_MAX_LENGTH} visible ASCII characters` })
  .optional()
  .describe('The same as the header Idempotency-Key, for programs that cannot set one.');

/** Describes the header; `keyOf` checks it, because both forms of it are accepted. */
export const idempotencyHeaders = z.looseObject({
  'Idempotency-Key': z
    .string()
    .min(1)
    .max(KEY_MAX_LENGTH)
    .regex(KEY_PATTERN)
    .optional()
    .describe(
      'Within five minutes, a request with the same key to any process does nothing more and has the same outcome. With other content it is refused (409). Bare, or in quotes as a structured field.',
    ),
});

/** Outcome of a request with an idempotency key. */
export const repeated = z
  .boolean()
  .describe('The idempotency key was known: the answer is that of the first request, and nothing more was done.');

/** A message as docs/redis-contract.md has it. */
export const messageFields = {
  type: z
    .string({ error: 'expected text' })
    .max(FRAME_TYPE_MAX_BYTES, { error: `expected at most ${FRAME_TYPE_MAX_BYTES} bytes` })
    .regex(FRAME_TYPE, { error: 'expected a name such as build.finished' })
    .refine(type => !type.startsWith(RESERVED_TYPE_PREFIX), {
      error: `expected a name without ${RESERVED_TYPE_PREFIX}`,
    })
    .describe('Type of the frame that clients get, such as `build.finished`; it does not begin with `hubbub.`.'),
  payload: z
    .custom<Payload>(isPlainObject, { error: 'expected an object' })
    .optional()
    .meta({ type: 'object', description: 'Nested at most 64 levels deep; without the key `__proto__`.' }),
  id: text(FRAME_ID_MAX_BYTES).optional().describe('Identifies the message for its recipients.'),
  sender: z
    .strictObject({ id: z.string(), name: z.string() })
    .optional()
    .describe('The user on whose behalf the service publishes. Absent: no user.'),
  timestamp: z.string().optional().describe('RFC 3339; now when absent.'),
  key: text(CONFLATION_KEY_MAX_BYTES)
    .optional()
    .describe('In a room whose namespace conflates: a newer message of the key replaces this one.'),
  exclude_session: text(256).optional().describe('A session that does not get it.'),
  exclude_user: userId.optional().describe('A user whose sessions do not get it.'),
  idempotency_key: idempotencyKey,
};
