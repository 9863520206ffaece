/** The hub's registry of who is connected, followed: its news as they come, and its rosters after an absence. */
import type { ServiceParts } from '../service/example.js';
import { left, seen } from './members.js';
import type { QuizRoom } from './quiz.js';
import { TAKEOVER_MS } from './quiz-events.js';
import { Refusal } from './refusal.js';
import { codeOf, hubRoom } from './room-code.js';
import type { RoomKeeper } from './room-keeper.js';

const ROSTER_MAX = 1000;

export function followRegistry({ hubbub }: ServiceParts, rooms: RoomKeeper): void {
  hubbub.onLifecycle({ group: 'quiz-room', leaseMs: TAKEOVER_MS, onError: report }, async event => {
    if (!('room' in event && 'user' in event)) return;
    const code = codeOf(event.room);
    if (code === undefined) return;
    const { user, atMs } = event;
    await changeAndTell(code, `member:${event.entryId}`, room => {
      if (event.event === 'member_left' && event.reason === 'left') return left(room, user, atMs);
      const online = event.event === 'member_joined' || event.event === 'member_online';
      return seen(room, user, { online, atMs });
    });
  });
  catchUp().catch(report);

  /** News are kept for minutes: who was away for longer missed some, and asks. */
  async function catchUp(): Promise<void> {
    for (const code of await rooms.codes()) {
      const atMs = Date.now(); // Before the question: what happens from now on is newer than the answer.
      const { users } = await hubbub.presence.roster(hubRoom(code), { limit: ROSTER_MAX });
      const online = new Set(users.filter(user => user.online !== false).map(({ id }) => id));
      await changeAndTell(code, `roster:${code}:${atMs}`, room =>
        room.members
          .filter(member => member.entered && member.online !== online.has(member.id))
          .reduce((before, { id }) => seen(before, id, { online: online.has(id), atMs }), room),
      );
    }
  }

  async function changeAndTell(code: string, cause: string, how: (room: QuizRoom) => QuizRoom): Promise<void> {
    try {
      await rooms.tell(await rooms.change(code, how), cause);
    } catch (error) {
      // The room is gone: no member is left to be notified.
      if (!(error instanceof Refusal)) throw error;
    }
  }
}

function report(error: unknown): void {
  process.stderr.write(`The registry is followed again: ${error instanceof Error ? error.message : String(error)}\n`);
}
