/** Makes the session of an event stream a member of its rooms: `welcome`, then `room_opened` and what was missed of each. */
import { type Namespaces, namespaceSettings } from '@hubbub/config';
import { namespaceOf } from '@hubbub/protocol';
import type { StreamRoom } from '../admission/stream-request.js';
import { CALLS_OF_RESUMED_ROOM } from '../limits/cost.js';
import type { Memberships } from '../rooms/memberships.js';
import type { Session } from '../sessions/session.js';

export interface StreamJoinParts {
  readonly memberships: Pick<Memberships, 'join'>;
  readonly namespaces: Namespaces;
  readonly welcome: () => void;
}

/** @throws {LimitExceeded} `RATE_LIMITED`, before anything is joined; or rejects with `UNAVAILABLE` */
export async function joinStreamRooms(
  session: Session,
  rooms: readonly StreamRoom[],
  { memberships, namespaces, welcome }: StreamJoinParts,
): Promise<void> {
  // A reader gets its own messages anyway: this is how it knows whether its application expects them.
  const echoes = (room: string): boolean => namespaceSettings(namespaces, namespaceOf(room)).echo;
  for (const { room } of rooms) session.cost?.calls.spend(CALLS_OF_RESUMED_ROOM, room);
  welcome();
  await Promise.all(
    rooms.map(({ room, since, grant }) =>
      memberships.join(session, room, {
        since,
        grant,
        // Before what was missed: the id of this event is where the reader is.
        announce: recovery =>
          session.send({
            type: 'room_opened',
            room,
            payload: { room_id: room, ...recovery, ...(echoes(room) && { echo: true }) },
            timestamp: new Date().toISOString(),
          }),
      }),
    ),
  );
}
