/** set_status: the session's status, in the rosters of rooms where it may publish. */
import { HubbubError, isStatus, STATUS_MAX_BYTES, toJsonValue } from '@hubbub/protocol';
import { CALLS_OF_STATUS_IN_ROOM } from '../limits/cost.js';
import type { FrameHandler } from '../sessions/receiver.js';
import { requiredPayload } from './frame-fields.js';
import type { FrameParts } from './frame-parts.js';

export function handleSetStatus({ presence, limits }: Pick<FrameParts, 'presence' | 'limits'>): FrameHandler {
  return (session, frame) => {
    const rooms = [...session.rooms];
    if (rooms.length > 0 && !rooms.some(room => session.allows(room, 'publish'))) {
      throw new HubbubError('FORBIDDEN', 'A status needs the right `publish` in at least one room of the session.', {
        details: { right: 'publish' },
      });
    }
    // No payload, or none with a status, takes it back: `null` is the same as absent.
    const payload = frame.payload === undefined || frame.payload === null ? {} : requiredPayload(frame, limits);
    // Presence keeps JSON: binary values of MessagePack sessions get the form that JSON sessions know (PROTOCOL.md section 2.3).
    const status = toJsonValue(payload.status) ?? undefined;
    if (status !== undefined && !isStatus(status)) {
      throw new HubbubError(
        'INVALID_PAYLOAD',
        `payload.status: expected text or an object of at most ${STATUS_MAX_BYTES} bytes as JSON, or null.`,
      );
    }
    session.cost?.calls.assertLeft(undefined);
    session.status = status;
    // A second status in the same tick costs nothing more.
    if (presence.statusSet(session)) {
      for (const room of session.rooms) session.cost?.calls.charge(CALLS_OF_STATUS_IN_ROOM, room);
    }
    session.acknowledge(frame);
  };
}
