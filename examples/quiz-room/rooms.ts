/** The rooms on any instance of the service: their documents and deadlines, their questions, and the state that they publish. */
import { randomInt } from 'node:crypto';
import type { Hubbub, Payload } from '@hubbub/server';
import type { Documents } from '../state/documents.js';
import { type Member, newRoom, nextDeadline, open, passTime, type QuizRoom } from './rules.js';

/** The list has no characters that look or sound alike, such as 0, O and Q. It has no vowels, so that no code is a word. */
const LETTERS = 'CDFGHJKMNPRTWXY34679';
const ROOM_CODE = new RegExp(`^[${LETTERS}]{5}$`);
const CLOSED_REASON = 'The quiz is over, and there was no activity any more.';
const POINTS_MAX = 1000;
const POINTS_MIN = 500;

export interface KeeperTimes {
  /** Time from the last activity to the cleanup of a room with an ended quiz. */
  readonly cleanupAfterMs: number;
  /** How often the deadlines of other instances are checked. */
  readonly lookEveryMs: number;
  /** When a room without an end of its quiz is checked: its document may have expired. */
  readonly forgottenAfterMs: number;
}

/** The rooms with their next deadlines: a document, so that every instance can check them. */
type Deadlines = { readonly rooms: Readonly<Record<string, Deadline>> };

interface Deadline {
  readonly atMs: number;
  /** Of the room when this was decided: a late instance does not replace a newer decision. */
  readonly version: number;
}

export class Rooms {
  readonly #hubbub: Hubbub;
  readonly #documents: Documents;
  readonly #times: KeeperTimes;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(hubbub: Hubbub, documents: Documents, times: KeeperTimes) {
    this.#hubbub = hubbub;
    this.#documents = documents;
    this.#times = times;
  }

  /** Creates a room with an unused code; `furnish` seats the host. */
  async create(setId: string, furnish: (room: QuizRoom) => QuizRoom): Promise<QuizRoom> {
    for (;;) {
      const code = Array.from({ length: 5 }, () => LETTERS[randomInt(LETTERS.length)]).join('');
      const fresh = furnish(newRoom(code, setId, Date.now()));
      const kept = await this.#documents.update<QuizRoom>(keyOf(code), known => known ?? fresh);
      if (kept === undefined || kept.members[0]?.id !== fresh.members[0]?.id) continue;
      await this.#schedule(kept);
      return kept;
    }
  }

  /** @throws {Refusal} `NOT_FOUND` */
  async read(code: string): Promise<QuizRoom> {
    return open(await this.#documents.read<QuizRoom>(keyOf(code)));
  }

  /** @throws {Refusal} `NOT_FOUND`, or the error of `change`; then nothing has changed */
  async change(code: string, change: (room: QuizRoom) => QuizRoom): Promise<QuizRoom> {
    const room = open(await this.#documents.update<QuizRoom>(keyOf(code), known => change(open(known))));
    await this.#schedule(room);
    return room;
  }

  /** Publishes the state to everybody in the room, once for each cause. */
  async publish(room: QuizRoom, cause: string): Promise<void> {
    const message = { type: 'state', payload: stateOf(room), idempotencyKey: `state:${cause}` };
    await this.#hubbub.publishToRoom(hubRoom(room.code), message);
  }

  async codes(): Promise<readonly string[]> {
    return Object.keys(await this.#deadlines());
  }

  /** Checks the deadlines from now on, beginning with those that passed while no instance ran. */
  start(): void {
    this.#checkIn(0, true);
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  async #deadlines(): Promise<Deadlines['rooms']> {
    return (await this.#documents.read<Deadlines>(DEADLINES))?.rooms ?? {};
  }

  async #schedule(room: QuizRoom): Promise<void> {
    const { code, version } = room;
    const { cleanupAfterMs, forgottenAfterMs } = this.#times;
    const atMs = nextDeadline(room, cleanupAfterMs) ?? room.lastActivityAtMs + forgottenAfterMs;
    const known = (await this.#deadlines())[code];
    if (known !== undefined && (known.version > version || known.atMs === atMs)) return;
    await this.#documents.update<Deadlines>(DEADLINES, deadlines => {
      const rooms = deadlines?.rooms ?? {};
      return (rooms[code]?.version ?? 0) > version ? { rooms } : { rooms: { ...rooms, [code]: { atMs, version } } };
    });
    // Players see the clock of a question; for everything else the regular check is soon enough.
    if (room.phase === 'question') this.#checkIn(atMs - Date.now(), false);
  }

  #checkIn(inMs: number, isRegular: boolean): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        this.#check()
          .catch(error => process.stderr.write(`checking deadlines failed, retrying: ${error}\n`))
          .finally(() => isRegular && this.#checkIn(this.#times.lookEveryMs, true));
      },
      Math.max(0, inMs),
    ).unref();
    this.#timers.add(timer);
  }

  async #check(): Promise<void> {
    const nowMs = Date.now();
    for (const [code, { atMs }] of Object.entries(await this.#deadlines())) {
      if (atMs <= nowMs) await this.#checkRoom(code, nowMs);
    }
  }

  /** May be interrupted anywhere, and run twice: the deadline stays until all of its work is done. */
  async #checkRoom(code: string, nowMs: number): Promise<void> {
    const pass = (room: QuizRoom): QuizRoom => passTime(room, nowMs, this.#times.cleanupAfterMs);
    const known = await this.#documents.read<QuizRoom>(keyOf(code));
    if (known === undefined) return await this.#removeDeadline(code);
    const room =
      pass(known) === known ? known : await this.#documents.update<QuizRoom>(keyOf(code), now => now && pass(now));
    if (room === undefined) return;
    if (room.phase !== 'closed') {
      if (room.phase === 'reveal') await this.publish(room, `time:${code}:${room.round}:${room.asked.length}`);
      return await this.#schedule(room);
    }
    await this.#hubbub.closeRoom(hubRoom(code), CLOSED_REASON);
    await this.#documents.update(keyOf(code), () => undefined);
    await this.#removeDeadline(code);
  }

  async #removeDeadline(code: string): Promise<void> {
    await this.#documents.update<Deadlines>(DEADLINES, deadlines => {
      const { [code]: _removed, ...rooms } = deadlines?.rooms ?? {};
      return { rooms };
    });
  }
}

/** People type codes that they heard: in any case, with spaces or dashes. */
export function readRoomCode(text: string): string {
  return text.toUpperCase().replace(/[\s-]/g, '');
}

/** The room of Hubbub for the quiz with this code. */
export function hubRoom(code: string): string {
  return `quiz:${code}`;
}

/** The code of a room of Hubbub; `undefined` if it is not the room of a quiz. */
export function codeOf(room = ''): string | undefined {
  const code = room.replace(/^quiz:/, '');
  return code !== room && ROOM_CODE.test(code) ? code : undefined;
}

const DEADLINES = 'deadlines';

function keyOf(code: string): string {
  return `room:${code}`;
}

export interface Question {
  readonly text: string;
  readonly answers: readonly string[];
  /** Index of the right answer. */
  readonly right: number;
}

export interface QuestionSet {
  readonly id: string;
  readonly title: string;
  readonly questions: readonly Question[];
}

/** An asterisk marks the right answer. */
export const QUESTION_SETS: readonly QuestionSet[] = [
  questionSet('mixed', 'A bit of everything', [
    'Which planet has the shortest day? | Mercury | Earth | *Jupiter | Mars',
    'How many hearts does an octopus have? | One | Two | *Three | Eight',
    'Which country has the longest coastline? | *Canada | Indonesia | Norway | Australia',
    'What was the first feature film to be animated by computer alone? | Shrek | *Toy Story | Antz | Tron',
    'What does a hippopotamus look like from its name? | A fat dog | A sea cow | A mud king | *A river horse',
  ]),
  questionSet('network', 'Wires and networks', [
    'What does a WebSocket begin its life as? | A DNS query | *An HTTP request | A UDP packet | An email',
    'How many bits has an IPv6 address? | 32 | 64 | *128 | 256',
    'Which status code means “I’m a teapot”? | 402 | *418 | 451 | 508',
    'On which port does HTTPS listen by default? | *443 | 80 | 22 | 8080',
  ]),
  questionSet('food', 'Kitchen and table', [
    'From which plant does vanilla come? | A palm | A vine of beans | A grass | *An orchid',
    'Which nut is the heart of marzipan? | *Almond | Hazelnut | Walnut | Cashew',
    'Which of these is botanically a berry? | Strawberry | Raspberry | *Banana | Blackberry',
    'In which country did croissants begin, as “kipferl”? | France | *Austria | Italy | Switzerland',
  ]),
];

export function questionsOf({ setId }: Pick<QuizRoom, 'setId'>): readonly Question[] {
  return setOf(setId).questions;
}

/** Points of the ended questions: the current one would reveal the right answer. */
export function scoreOf(room: QuizRoom, userId: string): number {
  return room.asked.reduce((sum, { ended }, index) => sum + (ended ? pointsFor(room, index, userId) : 0), 0);
}

/** The payload of `state`. */
export function stateOf(room: QuizRoom): Payload {
  const { code, version, round, phase, setId } = room;
  return {
    code,
    version,
    round,
    phase,
    set: setId,
    title: setOf(setId).title,
    questions: questionsOf(room).length,
    members: room.members.filter(({ entered }) => entered).map(member => memberState(room, member)),
    ...(phase !== 'lobby' && phase !== 'ended' && questionState(room)),
  };
}

function memberState(room: QuizRoom, { id, name, role, online, lastSeenMs }: Member): Payload {
  const current = room.asked.length - 1;
  const offline = !online && { online, last_seen: new Date(lastSeenMs ?? room.lastActivityAtMs).toISOString() };
  if (role === 'host') return { id, name, role, ...offline };
  const gained = room.asked[current]?.ended === true ? pointsFor(room, current, id) : 0;
  return { id, name, role, score: scoreOf(room, id), gained, ...offline };
}

/** Contains the right answer and the players' choices only when the question has ended. */
function questionState(room: QuizRoom): Payload {
  const index = room.asked.length - 1;
  const asked = room.asked[index];
  const question = questionsOf(room)[index];
  if (asked === undefined || question === undefined) return {};
  const choices = Object.entries(asked.answers).map(([id, { choice }]) => [id, choice]);
  return {
    question: {
      index,
      text: question.text,
      answers: question.answers,
      ends_at_ms: asked.endsAtMs,
      duration_ms: asked.durationMs,
      answered: Object.keys(asked.answers),
      ...(asked.ended && { right: question.right, choices: Object.fromEntries(choices) }),
    },
  };
}

/** A quick answer gets more points. The clocks of edges and services differ a little, so the result is bounded. */
function pointsFor(room: QuizRoom, index: number, userId: string): number {
  const asked = room.asked[index];
  const answer = asked?.answers[userId];
  if (asked === undefined || answer === undefined || answer.choice !== questionsOf(room)[index]?.right) return 0;
  const spent = (answer.atMs - asked.startedAtMs) / asked.durationMs;
  return Math.round(POINTS_MAX - (POINTS_MAX - POINTS_MIN) * Math.min(1, Math.max(0, spent)));
}

/** Requests name only existing sets: zod has validated them. */
function setOf(id: string): QuestionSet {
  const set = QUESTION_SETS.find(candidate => candidate.id === id);
  if (set === undefined) throw new Error(`There is no question set ${id}.`);
  return set;
}

/** @param lines the question and its answers, separated by `|` */
function questionSet(id: string, title: string, lines: readonly string[]): QuestionSet {
  const questions = lines.map(line => {
    const [text = '', ...answers] = line.split(' | ');
    const right = answers.findIndex(answer => answer.startsWith('*'));
    return { text, answers: answers.map(answer => answer.replace(/^\*/, '')), right };
  });
  return { id, title, questions };
}
