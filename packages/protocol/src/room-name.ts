/** Room names: their grammar and their namespace (PROTOCOL.md section 5). */

/** The longest text with a length of one byte in MessagePack (str 8). */
export const ROOM_NAME_MAX_BYTES = 255;
export const DEFAULT_NAMESPACE = 'default';

/** One path segment, no escaping in JSON, no brace that would end a Redis hash tag. ASCII, so length is bytes. */
export const ROOM_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:@~=+-]*$/;

const NAMESPACE = /^[A-Za-z0-9_][A-Za-z0-9_.@~=+-]{0,63}$/;

export function isRoomName(value: string): boolean {
  return value.length <= ROOM_NAME_MAX_BYTES && ROOM_NAME.test(value);
}

export function isNamespace(value: string): boolean {
  return NAMESPACE.test(value);
}

/**
 * The namespace of a room: the part before the first colon, else `default`.
 * @example namespaceOf('chat:42') === 'chat'; namespaceOf('general') === 'default'
 */
export function namespaceOf(room: string): string {
  const colon = room.indexOf(':');
  return colon < 0 ? DEFAULT_NAMESPACE : room.slice(0, colon);
}
