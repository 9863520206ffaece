/** Announces changes to a room: every unannounced one of its document, each once. */
import type { Hubbub } from '@hubbub/server';
import type { Rooms } from './rooms.js';
import { statusOf, type VotingRoom, withoutAnnounced } from './voting-room.js';

export class Announcements {
  readonly #hubbub: Hubbub;
  readonly #rooms: Rooms;

  constructor(hubbub: Hubbub, rooms: Rooms) {
    this.#hubbub = hubbub;
    this.#rooms = rooms;
  }

  /** Simultaneous services, or one that died before recording it, repeat idempotency keys and so double nothing. */
  async tellChanges(room: VotingRoom): Promise<void> {
    if (room.untold.length === 0) return;
    for (const { id, type, payload } of room.untold) {
      await this.#hubbub.publishToRoom(room.room_id, { type, payload, idempotencyKey: id });
    }
    await this.tellStatus(room, `status-${room.version}`);
    await this.#rooms.changeIfThere(room.room_id, now => withoutAnnounced(now, room.untold));
  }

  async tellStatus(room: VotingRoom, idempotencyKey: string): Promise<void> {
    const payload = statusOf(room);
    await this.#hubbub.publishToRoom(room.room_id, { type: 'room_status', payload, idempotencyKey });
  }

  /** @param entryId of the event that reported it */
  async tellJoined(room: VotingRoom, entryId: string): Promise<void> {
    const payload = { message: 'Somebody has joined the room.' };
    const message = { type: 'participant_joined', payload, idempotencyKey: `joined-${entryId}` };
    await this.#hubbub.publishToRoom(room.room_id, message);
    await this.tellStatus(room, `status-for-${entryId}`);
  }
}
