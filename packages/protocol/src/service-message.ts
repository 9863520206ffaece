/**
 * The schema of a service's publication. An entry of its own (`@hubbub/protocol/service-message`): edges and the server
 * SDK check with it, browsers do not carry it.
 */
import { z } from 'zod';
import { HubbubError } from './errors.js';
import { isFrameType, type Payload, type Sender } from './frame.js';
import { CONFLATION_KEY_MAX_BYTES, FRAME_ID_MAX_BYTES } from './limits.js';
import { isPlainObject, payloadProblem } from './payload.js';
import { isReservedType, type MessageTarget } from './reserved-frames.js';
import { isConflationKey, isText, isWellFormed, toWellFormed } from './text.js';

/** Services are trusted with size, not with shapes that could hurt an encoder: 100 levels end the MessagePack one. */
const PAYLOAD_BOUNDS = { max_payload_depth: 64, max_payload_keys: 100_000 };

const wellFormedText = (expected = 'text') =>
  z
    .string({ error: `expected ${expected}` })
    .refine(isWellFormed, { error: 'expected whole characters, found half a surrogate pair' });

const serviceMessageSchema = z.object({
  type: z
    .string({ error: 'expected text' })
    .refine(isFrameType, { error: 'expected a name of at most 64 bytes such as build.finished' }),
  payload: z
    .custom<Payload>(isPlainObject, { error: 'expected an object' })
    .superRefine((payload, context) => {
      // Also ends on an object that contains itself: it is nested too deep.
      const problem = payloadProblem(payload, PAYLOAD_BOUNDS);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    })
    .optional(),
  id: z
    .string({ error: 'expected text' })
    .refine(id => isText(id, FRAME_ID_MAX_BYTES), {
      error: `expected 1 to ${FRAME_ID_MAX_BYTES} bytes of whole characters`,
    })
    .optional(),
  // Only people read the name: it is repaired, the id is not.
  sender: z
    .object(
      { id: wellFormedText(), name: z.string().transform(toWellFormed) },
      { error: 'expected { id, name }, both text' },
    )
    .optional(),
  timestamp: wellFormedText('text, RFC 3339').optional(),
  key: z
    .custom<string>(isConflationKey, { error: `expected text of 1 to ${CONFLATION_KEY_MAX_BYTES} bytes` })
    .optional(),
});

/** A message of a service: the fields that docs/redis-contract.md names, and no others. */
export interface ServiceMessage {
  /** Any name of the grammar `[a-z][a-z0-9_]*(\.[a-z0-9_]+)*`, at most 64 bytes, such as `build.finished`. */
  readonly type: string;
  /** An object that JSON can carry. */
  readonly payload?: Payload;
  /** 1 to 64 bytes, names this message for those who get it. */
  readonly id?: string;
  /** The user on whose behalf the service publishes. Absent: no user. */
  readonly sender?: Sender;
  /** RFC 3339, UTC; now when absent. */
  readonly timestamp?: string;
  /**
   * 1 to 64 bytes. In a room whose namespace conflates, a newer message of this key replaces an older one that still waits
   * for a slow reader. Reaches no client.
   */
  readonly key?: string;
}

/** The recipients of a message and the exclusions, for programs that write plain JSON and no envelopes. */
const plainMessageSchema = serviceMessageSchema.extend({
  exclude_session: wellFormedText().optional(),
  exclude_user: wellFormedText().optional(),
  sessions: z.array(wellFormedText(), { error: 'expected a list of sessions' }).optional(),
  // On a room's channel the channel names the room, and this means nothing.
  room: z.unknown().optional(),
  traceparent: z.unknown().optional(),
});

/** A message as a service writes it to a channel of Redis. */
export interface PlainMessage extends ServiceMessage {
  /** A session that does not get it. */
  readonly exclude_session?: string;
  /** A user whose sessions do not get it. */
  readonly exclude_user?: string;
  /** On a node's channel: the sessions that get it. */
  readonly sessions?: readonly string[];
  /** On a node's channel: the room to name in the frame. Not yet checked. */
  readonly room?: unknown;
  /** The span of the service, in W3C form. Not yet checked: a wrong one is ignored. */
  readonly traceparent?: unknown;
}

/**
 * @param target of the message
 * @throws {HubbubError} `INVALID_PAYLOAD` or `INVALID_FORMAT`, naming the field that is wrong. A reserved type is wrong.
 */
export function parseServiceMessage(value: unknown, target: MessageTarget = 'audience'): ServiceMessage {
  const message = parseWith<ServiceMessage>(serviceMessageSchema, value);
  if (!isReservedType(message.type, target)) return message;
  throw new HubbubError('INVALID_FORMAT', `type: ${message.type} is reserved; only Hubbub sends it.`);
}

/** As {@link parseServiceMessage}, with the fields that only plain JSON has. Its type may be reserved: controls are. */
export function parsePlainMessage(value: unknown): PlainMessage {
  return parseWith<PlainMessage>(plainMessageSchema, value);
}

function parseWith<Message>(schema: z.ZodType, value: unknown): Message {
  const result = schema.safeParse(value);
  if (result.success) return result.data as Message;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') || 'the message';
  throw new HubbubError(
    field.startsWith('payload') ? 'INVALID_PAYLOAD' : 'INVALID_FORMAT',
    `${field}: ${issue?.message ?? 'is not valid'}`,
  );
}
