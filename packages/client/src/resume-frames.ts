/** `resume`: many rooms in as few frames as the edge's limits allow, and the reading of its answer. */
import { type Frame, type HubbubError, isPlainObject, type Position } from '@hubbub/protocol';
import { readRefused } from './errors.js';

/** Limits of a frame (PROTOCOL.md section 6); absent until an edge names them. */
export interface FrameLimits {
  readonly max_frame_bytes?: number;
  readonly max_rooms?: number;
}

/** The edge's position of one room, in the `ack` of `join_room` or `resume`. */
export interface PositionAnswer extends Position {
  /** Whether everything after the position that was named has come. */
  readonly recovered: boolean;
  readonly reason: string | undefined;
  /** With `too_old`: the first offset that was replayed. */
  readonly replayedFrom: number | undefined;
}

/** Bytes of a `resume` frame without its rooms, with an id as long as ids may be. */
const FRAME_OVERHEAD_BYTES = 128;

/** The rooms in groups of which each fits into one frame. */
export function resumeGroups<R>(rooms: readonly R[], payloadOf: (room: R) => object, limits: FrameLimits): R[][] {
  const maxRooms = limits.max_rooms ?? Infinity;
  const maxBytes = (limits.max_frame_bytes ?? Infinity) - FRAME_OVERHEAD_BYTES;
  const groups: R[][] = [];
  let bytes = 0;
  for (const room of rooms) {
    // Room names and epochs are ASCII; MessagePack is never longer than JSON here.
    const size = JSON.stringify(payloadOf(room)).length + 1;
    const group = groups.at(-1);
    bytes += size;
    if (group && bytes <= maxBytes && group.length < maxRooms) group.push(room);
    else {
      groups.push([room]);
      bytes = size;
    }
  }
  return groups;
}

/** By room: its position, `undefined` where it has no history, or why it was not joined. Rooms that are missing were not answered. */
export type ResumeAnswers = ReadonlyMap<string, PositionAnswer | HubbubError | undefined>;

export function readResumeAnswer({ payload }: Frame): ResumeAnswers {
  const answers = new Map<string, PositionAnswer | HubbubError | undefined>();
  for (const room of Array.isArray(payload?.rooms) ? payload.rooms : []) {
    if (!isPlainObject(room)) continue;
    const { room_id, error } = room;
    answers.set(String(room_id), isPlainObject(error) ? readRefused(error, 'UNAVAILABLE') : readPosition(room));
  }
  return answers;
}

/** The position in a payload; `undefined` where there is none: the room has no history. */
export function readPosition(payload: unknown): PositionAnswer | undefined {
  if (!isPlainObject(payload)) return undefined;
  const { epoch, offset, recovered, reason, replayed_from } = payload;
  if (typeof epoch !== 'string' || !isOffset(offset)) return undefined;
  return {
    epoch,
    offset,
    recovered: recovered === true,
    reason: typeof reason === 'string' ? reason : undefined,
    replayedFrom: (isOffset(replayed_from) && replayed_from) || undefined,
  };
}

export function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
