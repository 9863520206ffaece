/** resume: many rooms together, each from the client's position; one answer after all replays. */
import { HubbubError, isPlainObject, type Payload, type SessionLimits } from '@hubbub/protocol';
import { CALLS_OF_RESUMED_ROOM } from '../limits/cost.js';
import { errorPayload } from '../limits/limit-exceeded.js';
import type { FrameHandler } from '../sessions/receiver.js';
import type { Refusals } from '../sessions/refusals.js';
import type { Session } from '../sessions/session.js';
import { namedRoom, requiredPayload } from './frame-fields.js';
import type { JoinRoom } from './join-room.js';

/** Of a room in the list: the item, `room_id`, `epoch`, `offset` and `token`. */
const KEYS_PER_ROOM = 5;

export interface ResumeParts {
  readonly joinRoom: JoinRoom;
  readonly refusals: Pick<Refusals, 'count'>;
  readonly limits: SessionLimits;
}

export function handleResume(parts: ResumeParts): FrameHandler {
  return async (session, frame) => {
    const { limits } = parts;
    const { max_rooms, max_payload_keys } = limits;
    // As many rooms as a session may be in fit into one frame, as far as its bytes allow.
    const maxKeys = Math.max(max_payload_keys, 1 + max_rooms * KEYS_PER_ROOM);
    const { rooms } = requiredPayload(frame, { ...limits, max_payload_keys: maxKeys });
    if (!Array.isArray(rooms) || !rooms.every(isPlainObject)) {
      throw new HubbubError(
        'INVALID_PAYLOAD',
        'resume needs payload.rooms, a list of { room_id, epoch?, offset?, token? }.',
      );
    }
    if (new Set(rooms.map(({ room_id }) => room_id)).size < rooms.length) {
      throw new HubbubError('INVALID_PAYLOAD', 'Each room may be named once.');
    }
    // All together, so that the reads of many rooms are one trip to Redis; the edge bounds the pending ones.
    let joining = 0;
    const answers = rooms.map(payload => {
      // Not made text of: what a client calls a room may be an object without a way to become one.
      const isNew = typeof payload.room_id !== 'string' || !session.rooms.has(payload.room_id);
      const roomCount = session.rooms.size + joining;
      if (isNew) joining++;
      return resumeRoom(session, payload, roomCount, parts);
    });
    const answered = await Promise.all(answers);
    if (session.closed) return;
    session.acknowledge({ id: frame.id ?? session.nextMessageId() }, undefined, { payload: { rooms: answered } });
  };
}

async function resumeRoom(
  session: Session,
  payload: Payload,
  roomCount: number,
  { joinRoom, refusals }: ResumeParts,
): Promise<Payload> {
  const named = { room_id: payload.room_id };
  try {
    const room = namedRoom({ type: 'resume', payload });
    session.cost?.calls.spend(CALLS_OF_RESUMED_ROOM, room);
    return { ...named, ...(await joinRoom(session, room, payload, roomCount)) };
  } catch (error) {
    // A HubbubError is that room's answer; any other error fails the frame.
    if (!(error instanceof HubbubError)) throw error;
    // A room that is refused counts like a frame that is refused: one frame names many.
    refusals.count(session, 'resume', error);
    return { ...named, error: errorPayload(error) };
  }
}
