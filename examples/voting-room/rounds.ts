/** Periodic work for all rooms: announces changes that a dead service left, and deletes empty rooms. */
import type { Hubbub } from '@hubbub/server';
import type { Announcements } from './announcements.js';
import type { Rooms } from './rooms.js';
import { emptySince, occupied, type VotingRoom } from './voting-room.js';

export interface RoundsParts {
  readonly hubbub: Hubbub;
  readonly rooms: Rooms;
  readonly announcements: Announcements;
  /** Time until an empty room is deleted. */
  readonly emptyMs: number;
  readonly intervalMs: number;
}

/** Several services may do it simultaneously: every step can be repeated. Returns a function that ends it. */
export function goRound(parts: RoundsParts): () => void {
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  /** Leaves while no service listened are in no event: the first round asks presence about every room. */
  let isFirst = true;
  const round = async (): Promise<void> => {
    try {
      for (const { id, acquiredAtMs } of await parts.rooms.list()) {
        if (ended) return;
        await visit(parts, id, acquiredAtMs, isFirst);
      }
      isFirst = false;
    } catch {
      // Redis or presence is away: the next round finds the same.
    } finally {
      if (!ended) timer = setTimeout(() => void round(), parts.intervalMs);
    }
  };
  void round();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

async function visit(parts: RoundsParts, id: string, acquiredAtMs: number, isFirst: boolean): Promise<void> {
  const { rooms, hubbub, announcements, emptyMs } = parts;
  const room = await rooms.find(id);
  if (room !== undefined) {
    await announcements.tellChanges(room);
    if (isDue(room, emptyMs) || (isFirst && room.emptySinceMs === undefined)) await lookInside(parts, room);
  } else if (Date.now() - acquiredAtMs >= emptyMs) {
    // It is younger where another service is just making it.
    await rooms.forget(id, () => hubbub.closeRoom(id, 'the room is forgotten'));
  }
}

/** Events may be late, so presence has the last word. */
async function lookInside({ hubbub, rooms, emptyMs }: RoundsParts, room: VotingRoom): Promise<void> {
  const { count } = await hubbub.presence.roster(room.room_id, { limit: 1 });
  if (count > 0) await rooms.changeIfThere(room.room_id, occupied);
  else if (isDue(room, emptyMs))
    await rooms.forget(room.room_id, () => hubbub.closeRoom(room.room_id, 'the room was empty'));
  else await rooms.changeIfThere(room.room_id, now => emptySince(now, Date.now()));
}

function isDue({ emptySinceMs }: VotingRoom, emptyMs: number): boolean {
  return emptySinceMs !== undefined && Date.now() - emptySinceMs >= emptyMs;
}
