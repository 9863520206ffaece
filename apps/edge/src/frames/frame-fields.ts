/** Reads the fields of frames that several types have, and checks them. */

import {
  HubbubError,
  isPlainObject,
  isRoomName,
  type Payload,
  type Position,
  payloadProblem,
  ROOM_NAME_MAX_BYTES,
  type SessionLimits,
} from '@hubbub/protocol';
import type { ClientFrame } from '@hubbub/protocol/client-frame';
import { LimitExceeded } from '../limits/limit-exceeded.js';
import type { Session } from '../sessions/session.js';

/** The room of a frame about membership: `payload.room_id`, or `room`. */
export function namedRoom(frame: ClientFrame): string {
  const room = (isPlainObject(frame.payload) ? frame.payload.room_id : undefined) ?? frame.room;
  if (room === undefined || room === '') throw new HubbubError('MISSING_ROOM', `${frame.type} needs payload.room_id.`);
  if (typeof room === 'string' && room.length > ROOM_NAME_MAX_BYTES) {
    throw new LimitExceeded(
      'room_name',
      'INVALID_ROOM',
      `The name of a room has at most ${ROOM_NAME_MAX_BYTES} bytes.`,
    );
  }
  if (typeof room !== 'string' || !isRoomName(room)) {
    throw new HubbubError(
      'INVALID_ROOM',
      `A room is 1 to ${ROOM_NAME_MAX_BYTES} of A-Z a-z 0-9 _ . : @ ~ = + - and begins with a letter, a digit or _.`,
    );
  }
  return room;
}

/** The position that a client names; `undefined` where it names none. @throws {HubbubError} `INVALID_PAYLOAD` */
export function namedPosition({ epoch, offset }: Payload): Position | undefined {
  if (epoch == null && offset == null) return undefined;
  if (typeof epoch !== 'string' || !isOffset(offset)) {
    throw new HubbubError('INVALID_PAYLOAD', 'A position needs epoch, a text, and offset, a whole number.');
  }
  return { epoch, offset };
}

export function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A field of a payload that is text where it is there. @throws {HubbubError} `INVALID_PAYLOAD` */
export function namedText(payload: Payload, name: string): string | undefined {
  const value = payload[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw new HubbubError('INVALID_PAYLOAD', `${name} is text.`);
}

/** The room of a frame that only members may send. */
export function memberRoom(session: Session, frame: ClientFrame): string {
  if (frame.room === undefined || frame.room === '')
    throw new HubbubError('MISSING_ROOM', `${frame.type} needs a room.`);
  if (!session.rooms.has(frame.room)) throw new HubbubError('NOT_IN_ROOM', 'Join the room first.');
  return frame.room;
}

/** The payload of a frame, checked against the limits. */
export function requiredPayload(frame: ClientFrame, limits: SessionLimits): Payload {
  if (!isPlainObject(frame.payload)) throw new HubbubError('INVALID_PAYLOAD', 'The payload must be an object.');
  const problem = payloadProblem(frame.payload, limits);
  if (problem !== undefined) throw new LimitExceeded('payload', 'INVALID_PAYLOAD', `The payload ${problem}.`);
  return frame.payload;
}
