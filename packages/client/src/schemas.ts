/** Checks payloads by schemas. An entry of its own (`@hubbub/client/schemas`): clients without schemas do not carry it. */
import { type Frame, type InputsOf, type OutputsOf, type PayloadSchemas, validatePayload } from '@hubbub/protocol';
import type { PayloadCheck } from './options.js';

export type { PayloadSchemas, StandardSchema } from '@hubbub/protocol';

type Ignore = NonNullable<Parameters<PayloadCheck<unknown, unknown>>[1]>;

/**
 * A check of payloads by schemas of any library that implements Standard Schema, for the option `check`. It also gives the
 * client its types: listeners get the output of the schemas, and senders give their input.
 *
 * - `send` and `sendEvent` reject an invalid payload with `INVALID_PAYLOAD`, and send a valid one as it was given.
 * - An invalid payload that arrives reaches no listener. `client.on('ignored', …)` reports it, with the frame and the error.
 *
 * @param schemas by frame type, `new_message` for `room.send`; synchronous
 * @example
 * const check = payloadSchemas({ new_message: z.object({ content: z.string() }), 'build.finished': z.object({ ok: z.boolean() }) });
 * const client = new HubbubClient({ url, token, check });
 */
export function payloadSchemas<Schemas extends PayloadSchemas>(
  schemas: Schemas,
): PayloadCheck<OutputsOf<Schemas>, InputsOf<Schemas>> {
  return (frame, ignore) => {
    const { type, payload } = frame;
    if (!ignore) {
      validatePayload(schemas, type === 'send_message' ? 'new_message' : type, payload);
      return frame;
    }
    if (type !== 'history' || !Array.isArray(payload?.messages)) return validFrame(schemas, frame, ignore);
    const messages = payload.messages.map(message => validFrame(schemas, message, ignore));
    return { ...frame, payload: { ...payload, messages: messages.filter(message => message.type !== PLACE) } };
  };
}

/** The frame that takes the place of a message in a history (PROTOCOL.md section 2.2): it has no payload. */
const PLACE = 'room_offset';

function validFrame(schemas: PayloadSchemas, frame: Frame, ignore: Ignore): Frame {
  try {
    const payload = validatePayload(schemas, frame.type, frame.payload);
    return payload === frame.payload ? frame : { ...frame, payload: payload as Record<string, unknown> };
  } catch (error) {
    ignore({ frame, error: error as never });
    const { payload: _, ...rest } = frame;
    return { ...rest, type: PLACE };
  }
}
