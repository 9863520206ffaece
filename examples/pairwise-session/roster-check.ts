/** Finds who left while no service was there to hear of it for longer than the news are kept: asks presence, once for each room. */
import type { Hubbub } from '@hubbub/server';
import { type PairwiseSession, presentIds } from './session-document.js';
import { type Change, leave } from './session-rules.js';

const ROOMS_KEPT = 10_000;

export class RosterCheck {
  readonly #hubbub: Hubbub;
  readonly #settledMs: number;
  /** Rooms that were asked about since this process runs: from then on it hears of everybody who leaves. */
  readonly #checked = new Set<string>();

  /** @param settledMs presence knows of a connection that is older */
  constructor(hubbub: Hubbub, settledMs: number) {
    this.#hubbub = hubbub;
    this.#settledMs = settledMs;
  }

  /** The change that the room's roster requires; `undefined` if it was requested before. Rejects when presence does not answer. */
  async ask(room: string): Promise<((session: PairwiseSession) => Change) | undefined> {
    if (this.#checked.has(room)) return undefined;
    const { users } = await this.#hubbub.presence.roster(room, { limit: 1000 });
    if (this.#checked.size >= ROOMS_KEPT) this.#checked.clear();
    this.#checked.add(room);
    const here = new Set(users.map(({ id }) => id));
    const before = Date.now() - this.#settledMs;
    return session => {
      const gone = presentIds(session).filter(id => !here.has(id) && sinceMs(session, id) < before);
      return gone.reduce<Change>(
        (change, id) => {
          // As of when the attendee came: whoever is back already is not held to be gone again.
          const left = leave(change.session, id, 'dropped', sinceMs(change.session, id));
          return { session: left.session, messages: [...change.messages, ...left.messages] };
        },
        { session, messages: [] },
      );
    };
  }
}

function sinceMs({ attendees }: PairwiseSession, id: string): number {
  return attendees[id]?.since_ms ?? 0;
}
