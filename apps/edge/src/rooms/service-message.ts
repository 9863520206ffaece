/** Reads what a service in any language PUBLISHes as plain JSON (docs/redis-contract.md). */
import {
  CONTROL_TYPE_PREFIX,
  controlOfMessage,
  type Envelope,
  isReservedType,
  isRoomName,
  jsonCodec,
  sampledTraceparent,
} from '@hubbub/protocol';
import { type PlainMessage, parsePlainMessage } from '@hubbub/protocol/service-message';

const NO_BODY = new Uint8Array(0);

/**
 * The message as an envelope; `undefined` when it is malformed.
 * @param toSessions whether it came on a node's channel, where it names its sessions
 */
export function readServiceMessage(bytes: Uint8Array, toSessions: boolean): Envelope | undefined {
  let plain: PlainMessage;
  try {
    plain = parsePlainMessage(jsonCodec.decode(bytes));
  } catch {
    return undefined; // Not JSON, or not a message: the caller counts and drops it.
  }
  const { key, exclude_session, exclude_user, sessions, room, traceparent: given, ...message } = plain;
  const addressed = toSessions ? addressOf(sessions, room) : {};
  if (addressed === undefined) return undefined;
  const now = new Date();
  const traceparent = sampledTraceparent(given);
  const header = { encoding: 'json', publishedAtMs: now.getTime(), ...addressed } as const;
  if (message.type.startsWith(CONTROL_TYPE_PREFIX)) {
    // A control that there is not, or with a wrong field, must not reach clients as a frame.
    const control = controlOfMessage(message);
    return control && { ...header, control, body: NO_BODY };
  }
  if (isReservedType(message.type, toSessions ? 'sessions' : 'audience')) return undefined;
  return {
    ...header,
    ...(exclude_session !== undefined && { excludeSession: exclude_session }),
    ...(exclude_user !== undefined && { excludeUser: exclude_user }),
    ...(key !== undefined && { conflationKey: key }),
    ...(traceparent !== undefined && { traceparent }),
    body: jsonCodec.encode({ ...message, timestamp: message.timestamp ?? now.toISOString() }),
  };
}

function addressOf(
  sessions: readonly string[] | undefined,
  room: unknown,
): Pick<Envelope, 'sessions' | 'room'> | undefined {
  if (sessions === undefined) return undefined;
  if (room === undefined) return { sessions };
  return typeof room === 'string' && isRoomName(room) ? { sessions, room } : undefined;
}
