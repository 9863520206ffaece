/** `resume`: many rooms in as few frames as the edge's limits allow, and the reading of its answer. */
import { type ErrorCode, type Frame, HubbubError, isErrorCode, isPlainObject, type Position } from '@hubbub/protocol';

/** What bounds a frame (PROTOCOL.md section 6); missing where no edge named it. */
export interface FrameLimits {
  readonly max_frame_bytes?: number;
  readonly max_rooms?: number;
}

/** What an edge says of one room, in the `ack` of `join_room` or `resume`. */
export interface PositionAnswer extends Position {
  /** Missing when no position was named. */
  readonly recovered?: boolean;
  readonly reason?: string;
  /** With `too_old`: the first offset that was replayed. */
  readonly replayedFrom?: number;
}

/** Bytes of a `resume` frame without its rooms, with an id as long as ids may be. */
const FRAME_OVERHEAD_BYTES = 128;

/** The rooms in groups of which each fits into one frame. */
export function resumeGroups<R>(rooms: readonly R[], payloadOf: (room: R) => object, limits: FrameLimits): R[][] {
  const maxRooms = Math.max(1, limits.max_rooms ?? Infinity);
  const maxBytes = (limits.max_frame_bytes ?? Infinity) - FRAME_OVERHEAD_BYTES;
  const groups: R[][] = [];
  let bytes = Infinity;
  for (const room of rooms) {
    // Room names and epochs are ASCII; MessagePack is never longer than JSON here.
    const size = JSON.stringify(payloadOf(room)).length + 1;
    const group = groups.at(-1);
    if (group === undefined || bytes + size > maxBytes || group.length >= maxRooms) {
      groups.push([room]);
      bytes = size;
    } else {
      group.push(room);
      bytes += size;
    }
  }
  return groups;
}

/** By room: its position, `undefined` where it has no history, or why it was not joined. Rooms that are missing were not answered. */
export function readResumeAnswer({ payload }: Frame): Map<string, PositionAnswer | HubbubError | undefined> {
  const answers = new Map<string, PositionAnswer | HubbubError | undefined>();
  const rooms: readonly unknown[] = Array.isArray(payload?.rooms) ? payload.rooms : [];
  for (const room of rooms) {
    if (!isPlainObject(room) || typeof room.room_id !== 'string') continue;
    answers.set(room.room_id, isPlainObject(room.error) ? errorOf(room.error) : readPosition(room));
  }
  return answers;
}

/** The position in a payload; `undefined` where there is none: the room has no history. */
export function readPosition(payload: unknown): PositionAnswer | undefined {
  if (!isPlainObject(payload) || typeof payload.epoch !== 'string' || !isOffset(payload.offset)) return undefined;
  return {
    epoch: payload.epoch,
    offset: payload.offset,
    ...(typeof payload.recovered === 'boolean' && { recovered: payload.recovered }),
    ...(typeof payload.reason === 'string' && { reason: payload.reason }),
    ...(isOffset(payload.replayed_from) && payload.replayed_from > 0 && { replayedFrom: payload.replayed_from }),
  };
}

export function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function errorOf({ code, message, retry_after_ms }: Record<string, unknown>): HubbubError {
  const known: ErrorCode = isErrorCode(code) ? code : 'UNAVAILABLE';
  const retryAfterMs = typeof retry_after_ms === 'number' ? retry_after_ms : undefined;
  return new HubbubError(known, String(message ?? code), { retryAfterMs });
}
