/** Which rooms there are, and when to look at each: a document, so that whoever is there can look. */
import type { Documents } from '../state/documents.js';

interface Look {
  readonly atMs: number;
  /** Of the room when this was decided: an instance that is late does not take back what another has set since. */
  readonly version: number;
}

type Looks = { readonly rooms: Readonly<Record<string, Look>> };

const KEY = 'deadlines';

export class Deadlines {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  async all(): Promise<ReadonlyArray<{ readonly code: string; readonly atMs: number }>> {
    const { rooms = {} } = (await this.#documents.read<Looks>(KEY)) ?? {};
    return Object.entries(rooms).map(([code, { atMs }]) => ({ code, atMs }));
  }

  /** @returns whether there is another deadline than before */
  async set(code: string, look: Look): Promise<boolean> {
    const known = (await this.#documents.read<Looks>(KEY))?.rooms[code];
    if (known !== undefined && (known.version > look.version || known.atMs === look.atMs)) return false;
    await this.#documents.update<Looks>(KEY, looks => {
      const rooms = looks?.rooms ?? {};
      return (rooms[code]?.version ?? 0) > look.version ? { rooms } : { rooms: { ...rooms, [code]: look } };
    });
    return true;
  }

  async remove(code: string): Promise<void> {
    await this.#documents.update<Looks>(KEY, looks => {
      const { [code]: _removed, ...rooms } = looks?.rooms ?? {};
      return { rooms };
    });
  }
}
