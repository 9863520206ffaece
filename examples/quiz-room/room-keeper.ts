/** Keeps the rooms: changes them, notifies members, and handles deadlines, on any instance of the service. */
import type { Hubbub } from '@hubbub/server';
import type { Documents } from '../state/documents.js';
import { Deadlines } from './deadlines.js';
import { nextDeadline, passTime } from './play.js';
import { newRoom, open, type QuizRoom } from './quiz.js';
import { hubRoom, newRoomCode } from './room-code.js';
import { stateFrame } from './state-frame.js';

export interface KeeperTimes {
  /** Time from the last activity to the cleanup of a room with an ended quiz. */
  readonly cleanupAfterMs: number;
  /** How often deadlines of other instances are checked. */
  readonly lookEveryMs: number;
  /** When a room without an end of its quiz is checked: its document may have expired. */
  readonly forgottenAfterMs: number;
}

const CLOSED_REASON = 'The quiz is over and nobody was active any more.';

export class RoomKeeper {
  readonly #hubbub: Hubbub;
  readonly #documents: Documents;
  readonly #deadlines: Deadlines;
  readonly #times: KeeperTimes;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(hubbub: Hubbub, documents: Documents, times: KeeperTimes) {
    this.#hubbub = hubbub;
    this.#documents = documents;
    this.#deadlines = new Deadlines(documents);
    this.#times = times;
  }

  /** A room with a code that no other has; `furnish` puts the host in. */
  async create(setId: string, furnish: (room: QuizRoom) => QuizRoom): Promise<QuizRoom> {
    for (;;) {
      const fresh = furnish(newRoom(newRoomCode(), setId, Date.now()));
      const kept = await this.#documents.update<QuizRoom>(key(fresh.code), known => known ?? fresh);
      if (kept === undefined || kept.members[0]?.id !== fresh.members[0]?.id) continue;
      await this.#schedule(kept);
      return kept;
    }
  }

  /** @throws {Refusal} `NOT_FOUND` */
  async read(code: string): Promise<QuizRoom> {
    return open(await this.#documents.read<QuizRoom>(key(code)));
  }

  /** @throws {Refusal} `NOT_FOUND`, and whatever `how` throws; then nothing changed. */
  async change(code: string, how: (room: QuizRoom) => QuizRoom): Promise<QuizRoom> {
    const room = open(await this.#documents.update<QuizRoom>(key(code), known => how(open(known))));
    await this.#schedule(room);
    return room;
  }

  /** Sends the whole state to everybody in the room. @param cause of the change: the same one sends it once */
  async tell(room: QuizRoom, cause: string): Promise<void> {
    await this.#hubbub.publishToRoom(hubRoom(room.code), { ...stateFrame(room), idempotencyKey: `state:${cause}` });
  }

  async codes(): Promise<readonly string[]> {
    return (await this.#deadlines.all()).map(({ code }) => code);
  }

  /** Looks from now on; what was due while nobody was there comes first. */
  start(): void {
    this.#wakeIn(0, true);
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  async #look(): Promise<void> {
    const nowMs = Date.now();
    for (const { code, atMs } of await this.#deadlines.all()) {
      if (atMs <= nowMs) await this.#lookAt(code, nowMs);
    }
  }

  /** May be cut short anywhere, and be done twice: the deadline stays until all of it was done. */
  async #lookAt(code: string, nowMs: number): Promise<void> {
    const { cleanupAfterMs } = this.#times;
    const known = await this.#documents.read<QuizRoom>(key(code));
    if (known === undefined) return await this.#deadlines.remove(code);
    const room =
      passTime(known, { nowMs, cleanupAfterMs }) === known
        ? known
        : await this.#documents.update<QuizRoom>(key(code), now => now && passTime(now, { nowMs, cleanupAfterMs }));
    if (room === undefined) return;
    if (room.phase !== 'closed') {
      if (room.phase === 'reveal') await this.tell(room, `time:${code}:${room.round}:${room.asked.length}`);
      return await this.#schedule(room);
    }
    await this.#hubbub.closeRoom(hubRoom(code), CLOSED_REASON);
    await this.#documents.update(key(code), () => undefined);
    await this.#deadlines.remove(code);
  }

  async #schedule(room: QuizRoom): Promise<void> {
    const { cleanupAfterMs, forgottenAfterMs } = this.#times;
    const atMs = nextDeadline(room, cleanupAfterMs) ?? room.lastActivityAtMs + forgottenAfterMs;
    const isNew = await this.#deadlines.set(room.code, { atMs, version: room.version });
    // Players see the clock of a question; for everything else the regular look is soon enough.
    if (isNew && room.phase === 'question') this.#wakeIn(atMs - Date.now(), false);
  }

  #wakeIn(inMs: number, andAgain: boolean): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        this.#look()
          .catch(error => process.stderr.write(`checking deadlines failed, retrying: ${error}\n`))
          .finally(() => andAgain && this.#wakeIn(this.#times.lookEveryMs, true));
      },
      Math.max(0, inMs),
    ).unref();
    this.#timers.add(timer);
  }
}

function key(code: string): string {
  return `room:${code}`;
}
