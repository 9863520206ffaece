/** A quiz room as a document, and its rules. Pure functions that may be repeated: each step names the state before it. */
import { HttpProblem } from '../service/example.js';

export interface Member {
  /** The user's id at the hub. */
  readonly id: string;
  readonly name: string;
  readonly role: 'host' | 'player';
  /** Hash of the secret that the page keeps: the page that has it is this member again. */
  readonly passHash: string;
  readonly seatedAtMs: number;
  /** Whether its page was in the room: until then the name is only reserved. */
  readonly entered: boolean;
  readonly online: boolean;
  /** The time of the hub's report about `online`: older reports are ignored. 0: no report yet. */
  readonly presenceAtMs: number;
  readonly lastSeenMs?: number;
}

/** A question that was asked. Scores are computed from the answers, so that nothing is counted twice. */
export interface Asked {
  readonly startedAtMs: number;
  /** The time to answer; the part that is left decides the points, also if the question ends early. */
  readonly durationMs: number;
  /** Later answers do not count. */
  readonly endsAtMs: number;
  readonly ended: boolean;
  /** By user. `atMs` is the time at the edge, `entryId` the client event: a repetition is not a second answer. */
  readonly answers: Readonly<Record<string, { choice: number; atMs: number; entryId: string }>>;
}

/** A type, not an interface: only types are assignable to `Document`. */
export type QuizRoom = {
  readonly code: string;
  readonly setId: string;
  /** Counts changes: of two states, the one with the higher version is newer. */
  readonly version: number;
  /** Counts the quizzes in this room: a step of an earlier one does not affect the next. */
  readonly round: number;
  /** `closed`: members are being notified, and the document is deleted directly after. */
  readonly phase: 'lobby' | 'question' | 'reveal' | 'ended' | 'closed';
  readonly members: readonly Member[];
  /** One for each question asked so far, in order. */
  readonly asked: readonly Asked[];
  readonly lastActivityAtMs: number;
};

/** The user that the hub identified, and the time at its edge. */
export interface Act {
  readonly userId: string;
  readonly atMs: number;
  readonly entryId: string;
}

/** A quiz in this room, and a question of it. */
export interface Step {
  readonly round: number;
  readonly question: number;
}

export interface Clock {
  readonly nowMs: number;
  /** Time to answer a question. */
  readonly questionMs: number;
}

/** An action that the rules forbid: answered over HTTP or with an `error` frame. */
export class Refusal extends HttpProblem {
  readonly code: string;

  constructor(statusCode: number, code: string, message: string) {
    super(statusCode, message);
    this.code = code;
  }
}

const MEMBERS_MAX = 50;
const NAME_MAX = 24;
/** How long a name is reserved for a page that does not enter the room: it may have been closed immediately. */
const SEAT_KEPT_MS = 30_000;
/** Time for answers that are in flight when the time is up. */
export const ANSWERS_ARRIVE_MS = 300;

export function newRoom(code: string, setId: string, nowMs: number): QuizRoom {
  const counters = { version: 1, round: 1 };
  return { code, setId, ...counters, phase: 'lobby', members: [], asked: [], lastActivityAtMs: nowMs };
}

/** @throws {Refusal} `NOT_FOUND` */
export function open(room: QuizRoom | undefined): QuizRoom {
  if (room !== undefined && room.phase !== 'closed') return room;
  throw new Refusal(404, 'NOT_FOUND', 'There is no quiz with this code. Check it with your host: it may have ended.');
}

/** A name as it is shown. @throws {Refusal} `NAME_INVALID` */
export function readName(text: string): string {
  const name = text.trim().replace(/\s+/g, ' ');
  if (name === '') throw new Refusal(422, 'NAME_INVALID', 'Enter your name.');
  if ([...name].length <= NAME_MAX) return name;
  throw new Refusal(422, 'NAME_INVALID', `That name is too long: take one of at most ${NAME_MAX} characters.`);
}

/** Gives a seat. The holder of a seat's pass gets that seat again. @throws {Refusal} `NAME_TAKEN`, `ROOM_FULL` */
export function seat(
  room: QuizRoom,
  wanted: Pick<Member, 'id' | 'name' | 'role' | 'passHash'>,
  nowMs: number,
): QuizRoom {
  if (memberByPass(room, wanted.passHash) !== undefined) return active(room, nowMs);
  const members = room.members.filter(({ entered, seatedAtMs }) => entered || nowMs - seatedAtMs < SEAT_KEPT_MS);
  if (members.some(({ name }) => name.localeCompare(wanted.name, undefined, { sensitivity: 'base' }) === 0)) {
    throw new Refusal(409, 'NAME_TAKEN', `Somebody here is called ${wanted.name} already: take another name.`);
  }
  if (members.length >= MEMBERS_MAX) {
    throw new Refusal(409, 'ROOM_FULL', `The room is full: ${MEMBERS_MAX} people are in it.`);
  }
  const member = { ...wanted, seatedAtMs: nowMs, entered: false, online: false, presenceAtMs: 0 };
  return active(changed(room, { members: [...members, member] }), nowMs);
}

/** The member's page is in the room, and receives its messages. @throws {Refusal} `FORBIDDEN` without a seat */
export function enter(room: QuizRoom, userId: string, atMs: number): QuizRoom {
  const member = requireMember(room, userId);
  if (member.entered) return active(room, atMs);
  // A report of the hub about this member may have been faster, and is then right.
  const online = member.presenceAtMs === 0 || member.online;
  return active(withMember(room, { ...member, entered: true, online }), atMs);
}

/** A report of the hub's registry: a member did not reconnect in time, or has returned. */
export function seen(room: QuizRoom, userId: string, { online, atMs }: { online: boolean; atMs: number }): QuizRoom {
  const member = memberById(room, userId);
  if (member === undefined || atMs < member.presenceAtMs) return room;
  const { lastSeenMs, ...rest } = member;
  const known = online ? rest : { ...rest, lastSeenMs: member.online ? atMs : (lastSeenMs ?? atMs) };
  const next = withMember(room, { ...known, online, presenceAtMs: atMs });
  return online ? active(next, atMs) : next;
}

/** The member left deliberately. The host's seat is kept, and so are the seats of players in a quiz that has started. */
export function leave(room: QuizRoom, userId: string, atMs: number): QuizRoom {
  const member = memberById(room, userId);
  if (member === undefined || atMs < member.presenceAtMs || atMs < member.seatedAtMs) return room;
  if (member.role === 'host' || room.asked.length > 0) return seen(room, userId, { online: false, atMs });
  return changed(room, { members: room.members.filter(({ id }) => id !== userId) });
}

/** Asks the first question. @throws {Refusal} `FORBIDDEN`, `NO_PLAYERS` */
export function start(room: QuizRoom, act: Act, clock: Clock): QuizRoom {
  requireHost(room, act);
  if (room.phase !== 'lobby') return room;
  if (playersOf(room).length === 0)
    throw new Refusal(409, 'NO_PLAYERS', 'There are no players yet: share the code first.');
  return active(ask(room, clock), act.atMs);
}

/**
 * The first answer of each player counts if the edge received it in time, whenever the service handles it.
 * @throws {Refusal} `TOO_LATE`, `ALREADY_ANSWERED`, `FORBIDDEN`
 */
export function answer(room: QuizRoom, act: Act, { round, question, choice }: Step & { choice: number }): QuizRoom {
  if (requireMember(room, act.userId).role === 'host') throw new Refusal(403, 'FORBIDDEN', 'The host does not answer.');
  const asked = room.asked[question];
  const known = round === room.round ? asked?.answers[act.userId] : undefined;
  if (known?.entryId === act.entryId) return room;
  if (known !== undefined) throw new Refusal(409, 'ALREADY_ANSWERED', 'You have answered: the first answer counts.');
  if (round !== room.round || asked === undefined || act.atMs > asked.endsAtMs) {
    throw new Refusal(409, 'TOO_LATE', 'That was too late: the time for this question is up.');
  }
  const answers = { ...asked.answers, [act.userId]: { choice, atMs: act.atMs, entryId: act.entryId } };
  const answered = active(withAsked(room, question, { ...asked, answers }), act.atMs);
  const isOpen = question === room.asked.length - 1;
  const isComplete = playersOf(room).every(({ id, online }) => !online || answers[id] !== undefined);
  return isOpen && isComplete ? endQuestion(answered, act.atMs) : answered;
}

/** Shows the answer before the time is up. @throws {Refusal} `FORBIDDEN` */
export function endEarly(room: QuizRoom, act: Act, step: Step): QuizRoom {
  requireHost(room, act);
  return isAt(room, step) ? active(endQuestion(room, act.atMs), act.atMs) : room;
}

/** From the answer to the next question, or to the end. @throws {Refusal} `FORBIDDEN` */
export function next(room: QuizRoom, act: Act, step: Step, questions: number, clock: Clock): QuizRoom {
  requireHost(room, act);
  if (!isAt(room, step) || room.phase !== 'reveal') return room;
  return active(room.asked.length >= questions ? changed(room, { phase: 'ended' }) : ask(room, clock), act.atMs);
}

/** @throws {Refusal} `FORBIDDEN` */
export function end(room: QuizRoom, act: Act, { round }: { round: number }): QuizRoom {
  requireHost(room, act);
  if (round !== room.round || room.phase === 'ended') return room;
  return active(changed(endQuestion(room, act.atMs), { phase: 'ended' }), act.atMs);
}

/** Another quiz with the same people. @throws {Refusal} `FORBIDDEN` */
export function playAgain(room: QuizRoom, act: Act, { round, set }: { round: number; set: string }): QuizRoom {
  requireHost(room, act);
  if (round !== room.round || room.phase !== 'ended') return room;
  return active(changed(room, { phase: 'lobby', round: round + 1, setId: set, asked: [] }), act.atMs);
}

/** Changes nothing, but is activity. @throws {Refusal} `FORBIDDEN` */
export function cheer(room: QuizRoom, act: Act): QuizRoom {
  requireMember(room, act.userId);
  return active(room, act.atMs);
}

/** Ends a question when its time is up, and closes a room that was not active for long after the end. */
export function passTime(room: QuizRoom, nowMs: number, cleanupAfterMs: number): QuizRoom {
  const dueAtMs = nextDeadline(room, cleanupAfterMs);
  if (dueAtMs === undefined || nowMs < dueAtMs) return room;
  return room.phase === 'question' ? endQuestion(room, nowMs) : changed(room, { phase: 'closed' });
}

/** The time of the next change by `passTime`; `undefined` if there is none. */
export function nextDeadline(room: QuizRoom, cleanupAfterMs: number): number | undefined {
  const asked = room.asked.at(-1);
  if (room.phase === 'closed') return 0;
  if (room.phase === 'question' && asked !== undefined) return asked.endsAtMs + ANSWERS_ARRIVE_MS;
  return room.phase === 'ended' ? room.lastActivityAtMs + cleanupAfterMs : undefined;
}

export function memberByPass(room: QuizRoom, passHash: string): Member | undefined {
  return room.members.find(member => member.passHash === passHash);
}

export function noMember(): Refusal {
  return new Refusal(403, 'FORBIDDEN', 'You are not in this quiz: join it with its code.');
}

function memberById(room: QuizRoom, userId: string): Member | undefined {
  return room.members.find(({ id }) => id === userId);
}

function requireMember(room: QuizRoom, userId: string): Member {
  const member = memberById(room, userId);
  if (member === undefined) throw noMember();
  return member;
}

/** By the user of the token; ids in the frame are not read. */
function requireHost(room: QuizRoom, { userId }: Act): void {
  if (memberById(room, userId)?.role === 'host') return;
  throw new Refusal(403, 'FORBIDDEN', 'Only the host can do that.');
}

function playersOf({ members }: QuizRoom): readonly Member[] {
  return members.filter(({ role, entered }) => role === 'player' && entered);
}

function changed(room: QuizRoom, changes: Partial<QuizRoom>): QuizRoom {
  return { ...room, ...changes, version: room.version + 1 };
}

function active(room: QuizRoom, atMs: number): QuizRoom {
  return atMs > room.lastActivityAtMs ? { ...room, lastActivityAtMs: atMs } : room;
}

function withMember(room: QuizRoom, member: Member): QuizRoom {
  return changed(room, { members: room.members.map(each => (each.id === member.id ? member : each)) });
}

function withAsked(room: QuizRoom, index: number, asked: Asked): QuizRoom {
  return changed(room, { asked: room.asked.map((each, at) => (at === index ? asked : each)) });
}

function ask(room: QuizRoom, { nowMs, questionMs }: Clock): QuizRoom {
  const asked = { startedAtMs: nowMs, durationMs: questionMs, endsAtMs: nowMs + questionMs, ended: false, answers: {} };
  return changed(room, { phase: 'question', asked: [...room.asked, asked] });
}

function endQuestion(room: QuizRoom, atMs: number): QuizRoom {
  const asked = room.asked.at(-1);
  if (room.phase !== 'question' || asked === undefined) return room;
  const ended = { ...asked, ended: true, endsAtMs: Math.min(asked.endsAtMs, atMs) };
  return changed(withAsked(room, room.asked.length - 1, ended), { phase: 'reveal' });
}

function isAt(room: QuizRoom, { round, question }: Step): boolean {
  return round === room.round && question === room.asked.length - 1;
}
