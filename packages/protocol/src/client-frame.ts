/**
 * The shape of what a client may send, as a schema. An entry of its own (`@hubbub/protocol/client-frame`): edges check
 * with it, browsers do not carry it.
 */
import { z } from 'zod';
import { HubbubError } from './errors.js';
import { isFrameType } from './frame.js';
import { FRAME_ID_MAX_BYTES, utf8Length } from './limits.js';

/** `null` is the same as absent: programs that fill in every field write it. */
const clientFrameSchema = z.object({
  type: z.string().refine(isFrameType, 'is not a frame type'),
  room: z.string().nullish(),
  // One check of our own: the library's `min` also looks at the `length` of what is no text, and chokes on a hostile one.
  id: z
    .string()
    .refine(id => id !== '' && utf8Length(id) <= FRAME_ID_MAX_BYTES, `is not 1 to ${FRAME_ID_MAX_BYTES} bytes`)
    .nullish(),
  payload: z.unknown().optional(),
});

/** A client's frame after the check: other fields (`sender`, `timestamp`, `offset`) are gone. */
export interface ClientFrame {
  readonly type: string;
  readonly room?: string;
  readonly id?: string;
  /** Not yet checked: each handler says what it takes. */
  readonly payload?: unknown;
}

/** @throws {HubbubError} `INVALID_FORMAT` naming the field that is wrong. */
export function parseClientFrame(value: unknown): ClientFrame {
  const result = clientFrameSchema.safeParse(value);
  if (result.success) {
    const { type, room, id, payload } = result.data;
    return { type, ...(room != null && { room }), ...(id != null && { id }), payload };
  }
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') || 'the frame';
  throw new HubbubError('INVALID_FORMAT', `${field}: ${issue?.message ?? 'is not valid'}`);
}
