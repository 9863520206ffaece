/** Recognizes frames on the bus whose type only the cluster may send (PROTOCOL.md section 7.1). */
import { type Encoding, type Frame, isForgedType, jsonCodec, type MessageTarget, peekType } from '@hubbub/protocol';
import { msgpackCodec } from '@hubbub/protocol/msgpack';

interface EncodedFrame {
  readonly encoding: Encoding;
  readonly body: Uint8Array;
}

/** What members get in place of a forged frame that has an offset: without it they would see a hole. */
const NOTHING = jsonCodec.encode({ type: 'room_offset' });

/**
 * Whether another program put a reserved frame into an envelope. Costs a look at the first bytes: Hubbub's encoders write
 * `type` first, and only a body that begins otherwise is decoded.
 */
export function isForged({ encoding, body }: EncodedFrame, target: MessageTarget): boolean {
  const type = peekType(encoding, body) ?? decodedType(encoding, body);
  return type !== undefined && isForgedType(type, target);
}

/** The message of a history, with nothing in place of a forged frame. */
export function withoutForgery<Message extends EncodedFrame>(message: Message): Message {
  return isForged(message, 'audience') ? { ...message, encoding: 'json', body: NOTHING } : message;
}

function decodedType(encoding: Encoding, body: Uint8Array): string | undefined {
  try {
    const { type } = (encoding === 'json' ? jsonCodec : msgpackCodec).decode(body) as Partial<Frame>;
    return typeof type === 'string' ? type : undefined;
  } catch {
    return undefined; // Malformed: found where the frame is made.
  }
}
