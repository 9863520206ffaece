/** The rooms of the service: one document each, and one that lists them, so that a service that starts finds them all. */
import { randomBytes } from 'node:crypto';
import type { Hubbub } from '@hubbub/server';
import { HttpProblem } from '../service/example.js';
import type { Documents } from '../state/documents.js';
import { emptySince, existing, newRoom, occupied, statusOf, type VotingRoom, withoutAnnounced } from './rules.js';

const ROOMS_MAX = 500;
const LIST = 'rooms';

/** The time at which each room was acquired, in milliseconds since 1970. */
type RoomList = { readonly acquiredAtMs: Readonly<Record<string, number>> };

export class Rooms {
  readonly #hubbub: Hubbub;
  readonly #documents: Documents;

  constructor(hubbub: Hubbub, documents: Documents) {
    this.#hubbub = hubbub;
    this.#documents = documents;
  }

  /** Lists the room before it creates it: a service that dies in between leaves a name that the rounds remove. */
  async acquire(): Promise<VotingRoom> {
    const id = randomBytes(5).toString('hex');
    const nowMs = Date.now();
    await this.#documents.update<RoomList>(LIST, list => {
      const acquiredAtMs = list?.acquiredAtMs ?? {};
      if (Object.keys(acquiredAtMs).length >= ROOMS_MAX) throw new HttpProblem(503, 'all rooms are taken');
      return { acquiredAtMs: { ...acquiredAtMs, [id]: nowMs } };
    });
    return existing(await this.#documents.update<VotingRoom>(keyOf(id), room => room ?? newRoom(id, nowMs)));
  }

  find(id: string): Promise<VotingRoom | undefined> {
    return this.#documents.read<VotingRoom>(keyOf(id));
  }

  /**
   * Stores a change and announces it. If it cannot be announced now, the next round does that.
   * @throws {HttpProblem} the error of `change`
   */
  async change(id: string, change: (room: VotingRoom | undefined) => VotingRoom): Promise<VotingRoom> {
    const room = existing(await this.#documents.update<VotingRoom>(keyOf(id), change));
    await this.announce(room).catch(() => {}); // Redis is away: the next round repeats it.
    return room;
  }

  /** Does nothing if the room does not exist. */
  async changeIfExisting(id: string, change: (room: VotingRoom) => VotingRoom): Promise<void> {
    await this.#documents.update<VotingRoom>(keyOf(id), room => (room === undefined ? undefined : change(room)));
  }

  /** Publishes the pending announcements of a room. Two services that do so use the same idempotency keys. */
  async announce(room: VotingRoom): Promise<void> {
    if (room.pending.length === 0) return;
    for (const { id, message } of room.pending) {
      if (message !== undefined) await this.#hubbub.publishToRoom(room.room_id, { ...message, idempotencyKey: id });
    }
    await this.announceStatus(room, `status-${room.version}`);
    await this.changeIfExisting(room.room_id, now => withoutAnnounced(now, room.pending));
  }

  async announceStatus(room: VotingRoom, idempotencyKey: string): Promise<void> {
    const payload = { ...statusOf(room) };
    await this.#hubbub.publishToRoom(room.room_id, { type: 'room_status', payload, idempotencyKey });
  }

  /** Deletes a room and notifies its members; may be repeated after a crash, because the name leaves the list last. */
  async forget(id: string, reason: string): Promise<void> {
    await this.#documents.update(keyOf(id), () => undefined);
    await this.#hubbub.closeRoom(id, reason);
    await this.#documents.update<RoomList>(LIST, list => {
      const { [id]: _, ...acquiredAtMs } = list?.acquiredAtMs ?? {};
      return unlessEmpty({ acquiredAtMs });
    });
  }

  /**
   * Checks all rooms: announces changes that a dead service left, and forgets empty rooms.
   * @param isFirst a service has missed events while it was down, and asks presence about every room
   */
  async round(emptyMs: number, isFirst: boolean): Promise<void> {
    // The update extends the life of the list.
    const list = await this.#documents.update<RoomList>(LIST, unlessEmpty);
    for (const [id, acquiredAtMs] of Object.entries(list?.acquiredAtMs ?? {})) {
      const room = await this.find(id);
      if (room !== undefined) {
        await this.announce(room);
        const isDue = isOlder(room.emptySinceMs, emptyMs);
        if (isDue || (isFirst && room.emptySinceMs === undefined)) await this.#checkPresence(id, isDue);
      } else if (isOlder(acquiredAtMs, emptyMs)) {
        await this.forget(id, 'the room is forgotten'); // A younger one is being created by another service.
      }
    }
  }

  /** Events may be late, so presence decides. */
  async #checkPresence(id: string, isDue: boolean): Promise<void> {
    const { count } = await this.#hubbub.presence.roster(id, { limit: 1 });
    if (count > 0) await this.changeIfExisting(id, occupied);
    else if (isDue) await this.forget(id, 'the room was empty');
    else await this.changeIfExisting(id, room => emptySince(room, Date.now()));
  }
}

function isOlder(sinceMs: number | undefined, ageMs: number): boolean {
  return sinceMs !== undefined && Date.now() - sinceMs >= ageMs;
}

function unlessEmpty(list: RoomList | undefined): RoomList | undefined {
  return list !== undefined && Object.keys(list.acquiredAtMs).length > 0 ? list : undefined;
}

function keyOf(id: string): string {
  return `room:${id}`;
}
