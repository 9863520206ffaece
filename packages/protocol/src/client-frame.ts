/**
 * The shape of what a client may send, as a schema. An entry of its own (`@hubbub/protocol/client-frame`): edges check
 * with it, browsers do not carry it.
 */
import { z } from 'zod';
import { HubbubError } from './errors.js';
import { isFrameType } from './frame.js';
import { FRAME_ID_MAX_BYTES } from './limits.js';
import { isPlainObject } from './payload.js';
import { ROOM_NAME_MAX_BYTES } from './room-name.js';
import { isText } from './text.js';

// Our own check: the library's `min` also reads the `length` of other values, and a hostile one breaks it.
const idSchema = z
  .string()
  .refine(id => isText(id, FRAME_ID_MAX_BYTES), `is not 1 to ${FRAME_ID_MAX_BYTES} bytes`)
  .nullish();

/** `null` is the same as absent: programs that fill in every field write it. */
const clientFrameSchema = z.object({
  type: z.string().refine(isFrameType, 'is not a frame type'),
  room: z.string().nullish(),
  id: idSchema,
  message_id: idSchema,
  payload: z.unknown().optional(),
});

/** A client's frame after the check: other fields (`sender`, `timestamp`, `offset`) are gone. */
export interface ClientFrame {
  readonly type: string;
  readonly room?: string;
  /** Matches the answer to this frame within the session, and nothing else. */
  readonly id?: string;
  /** Makes a publish idempotent: globally unique, the same in each retry. */
  readonly messageId?: string;
  /** Not yet checked: each handler checks its own. */
  readonly payload?: unknown;
}

/** The fields of a frame that its answer needs. */
export type Request = Pick<ClientFrame, 'id' | 'room'>;

/** These name their room in the payload. */
const NAMES_ROOM_IN_PAYLOAD: readonly unknown[] = ['join_room', 'leave_room'];

/** Returns what can be read of a decoded frame, malformed or not: the error that answers it names the request. */
export function readRequest(frame: unknown): Request {
  if (!isPlainObject(frame)) return {};
  const { type, id, room, payload } = frame;
  const inPayload = NAMES_ROOM_IN_PAYLOAD.includes(type) && isPlainObject(payload) ? payload.room_id : undefined;
  const named = inPayload ?? room;
  return {
    ...(isText(id, FRAME_ID_MAX_BYTES) && { id }),
    ...(isText(named, ROOM_NAME_MAX_BYTES) && { room: named }),
  };
}

/** @throws {HubbubError} `INVALID_FORMAT` naming the field that is wrong. */
export function parseClientFrame(value: unknown): ClientFrame {
  const result = clientFrameSchema.safeParse(value);
  if (result.success) {
    const { type, room, id, message_id, payload } = result.data;
    return {
      type,
      ...(room != null && { room }),
      ...(id != null && { id }),
      ...(message_id != null && { messageId: message_id }),
      payload,
    };
  }
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') || 'the frame';
  throw new HubbubError('INVALID_FORMAT', `${field}: ${issue?.message ?? 'is not valid'}`);
}
