/** The rooms there are: one document for each, and one that lists them, so that a service which starts finds them all. */
import { randomBytes } from 'node:crypto';
import type { Documents } from '../state/documents.js';
import { existing, newRoom, Refusal, type VotingRoom } from './voting-room.js';

const ROOMS_MAX = 500;
const LIST = 'rooms';

/** When each was acquired, in milliseconds since 1970. */
type RoomList = { readonly acquiredAtMs: Readonly<Record<string, number>> };

export class Rooms {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  /** Listed before it exists: whatever ends this service in between leaves a name that `forget` removes, and never a room that nobody finds. */
  async acquire(): Promise<VotingRoom> {
    const id = randomBytes(5).toString('hex');
    const nowMs = Date.now();
    await this.#documents.update<RoomList>(LIST, list => {
      const acquiredAtMs = list?.acquiredAtMs ?? {};
      if (Object.keys(acquiredAtMs).length >= ROOMS_MAX) throw new Refusal(503, 'all rooms are taken');
      return { acquiredAtMs: { ...acquiredAtMs, [id]: nowMs } };
    });
    return existing(await this.#documents.update<VotingRoom>(key(id), room => room ?? newRoom(id, nowMs)));
  }

  async find(id: string): Promise<VotingRoom | undefined> {
    return await this.#documents.read<VotingRoom>(key(id));
  }

  /** @throws {Refusal} the error of `how`. */
  async change(id: string, how: (room: VotingRoom | undefined) => VotingRoom): Promise<VotingRoom> {
    return existing(await this.#documents.update<VotingRoom>(key(id), how));
  }

  /** Nothing happens where there is no such room. */
  async changeIfThere(id: string, how: (room: VotingRoom) => VotingRoom): Promise<void> {
    await this.#documents.update<VotingRoom>(key(id), room => (room === undefined ? undefined : how(room)));
  }

  /** Those that were acquired and not forgotten. Asking keeps the list alive as long as it lists something. */
  async list(): Promise<{ readonly id: string; readonly acquiredAtMs: number }[]> {
    const list = await this.#documents.update<RoomList>(LIST, unlessEmpty);
    return Object.entries(list?.acquiredAtMs ?? {}).map(([id, acquiredAtMs]) => ({ id, acquiredAtMs }));
  }

  /** @param says announces it between the two steps: a service that dies on the way finds the name in its list, and repeats it */
  async forget(id: string, says: () => Promise<unknown>): Promise<void> {
    await this.#documents.update(key(id), () => undefined);
    await says();
    await this.#documents.update<RoomList>(LIST, list => {
      const { [id]: _, ...acquiredAtMs } = list?.acquiredAtMs ?? {};
      return unlessEmpty({ acquiredAtMs });
    });
  }
}

function unlessEmpty(list: RoomList | undefined): RoomList | undefined {
  return list !== undefined && Object.keys(list.acquiredAtMs).length > 0 ? list : undefined;
}

function key(id: string): string {
  return `room:${id}`;
}
