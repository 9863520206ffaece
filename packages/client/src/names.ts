/** Checks the names that an application gives, so that a mistake is reported where it is made. */
import {
  CLIENT_FRAME_TYPES,
  FRAME_ID_MAX_BYTES,
  type Frame,
  HubbubError,
  isFrameType,
  isRoomName,
  isText,
} from '@hubbub/protocol';

const FRAMES_OF_HUBBUB: ReadonlySet<string> = new Set(CLIENT_FRAME_TYPES);

/** @throws {HubbubError} `INVALID_FORMAT` */
export function checkEventName(type: string): void {
  if (typeof type === 'string' && isFrameType(type) && !FRAMES_OF_HUBBUB.has(type)) return;
  const got = JSON.stringify(type)?.slice(0, 100);
  throw new HubbubError(
    'INVALID_FORMAT',
    `Events have names of lower-case letters, digits, _ and dots, such as move.made, and none of Hubbub's own; got ${got}.`,
  );
}

/** @throws {HubbubError} `INVALID_ROOM`, `INVALID_FORMAT` */
export function checkNames({ id, room }: Frame): void {
  if (room !== undefined && !isRoomName(room)) {
    throw new HubbubError('INVALID_ROOM', `Not a room name: ${JSON.stringify(room).slice(0, 100)}.`);
  }
  if (id !== undefined && !isText(id, FRAME_ID_MAX_BYTES)) {
    throw new HubbubError('INVALID_FORMAT', `An id is text of 1 to ${FRAME_ID_MAX_BYTES} bytes.`);
  }
}
