/** Names of rooms, events and frames: makes ids, and checks what an application gives where the mistake is made. */
import {
  CLIENT_FRAME_TYPES,
  FRAME_ID_MAX_BYTES,
  type Frame,
  HubbubError,
  isFrameType,
  isRoomName,
  isText,
} from '@hubbub/protocol';

/** Whether a frame of this type is a client event. */
export function isEventName(type: string): boolean {
  return isFrameType(type) && !(CLIENT_FRAME_TYPES as readonly string[]).includes(type);
}

/** @throws {HubbubError} `INVALID_FORMAT` */
export function checkEventName(type: string): void {
  if (typeof type === 'string' && isEventName(type)) return;
  throw new HubbubError(
    'INVALID_FORMAT',
    `Not an event name: ${shown(type)}. Use a-z, 0-9, _ and dots; Hubbub's are taken.`,
  );
}

function shown(name: unknown): string | undefined {
  return JSON.stringify(name)?.slice(0, 100);
}

/** @throws {HubbubError} `INVALID_ROOM`, `INVALID_FORMAT` */
export function checkNames({ id, room }: Frame): void {
  if (room !== undefined && !isRoomName(room)) {
    throw new HubbubError('INVALID_ROOM', `Not a room name: ${shown(room)}.`);
  }
  if (id !== undefined && !isText(id, FRAME_ID_MAX_BYTES)) {
    throw new HubbubError('INVALID_FORMAT', `An id is text of 1 to ${FRAME_ID_MAX_BYTES} bytes.`);
  }
}

/** Random digits per client, of 36 each: 124 bits. */
const PREFIX_DIGITS = 24;

/** Returns a function that makes ids: a random prefix and a counter, well below 64 bytes. */
export function createFrameIds(): () => string {
  // Not crypto.randomUUID: browsers have it on https and localhost only.
  const bytes = new Uint8Array(PREFIX_DIGITS);
  // React Native has no crypto; ids are to differ, not to be secret.
  const random = globalThis.crypto?.getRandomValues(bytes) ?? bytes.map(() => Math.random() * 256);
  const prefix = Array.from(random, byte => (byte % 36).toString(36)).join('');
  let count = 0;
  return () => `${prefix}-${(count++).toString(36)}`;
}
