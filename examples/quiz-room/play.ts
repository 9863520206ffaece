/** The steps of a quiz: ask, answer, end. Pure, and harmless when repeated: each step names the state before it. */
import { memberById, noMember } from './members.js';
import { type Asked, active, changed, playersOf, type QuizRoom, questionsOf } from './quiz.js';
import { Refusal } from './refusal.js';

/** The actor, as the hub identifies it, and the time at its edge. */
export interface Act {
  readonly userId: string;
  readonly atMs: number;
  readonly entryId: string;
}

/** Which quiz in this room, and which question of it: one that is over is not touched again. */
export interface Step {
  readonly round: number;
  readonly question: number;
}

/** Time for answers that are on their way when the time is up. */
export const ANSWERS_ARRIVE_MS = 300;

/** The first question begins. */
export function start(
  room: QuizRoom,
  act: Act,
  { nowMs, questionMs }: { nowMs: number; questionMs: number },
): QuizRoom {
  onlyHost(room, act);
  if (room.phase !== 'lobby') return room;
  if (playersOf(room).length === 0)
    throw new Refusal(409, 'NO_PLAYERS', 'Nobody has joined yet: share the code first.');
  return active(ask(room, nowMs, questionMs), act.atMs);
}

/**
 * An answer counts when the edge took it in time, whenever the service gets to it; the first one of each player.
 * @throws {Refusal} `TOO_LATE`, `ALREADY_ANSWERED`, `FORBIDDEN`
 */
export function answer(room: QuizRoom, act: Act, { round, question, choice }: Step & { choice: number }): QuizRoom {
  const member = memberById(room, act.userId);
  if (member === undefined) throw noMember();
  if (member.role === 'host') throw new Refusal(403, 'FORBIDDEN', 'The host does not answer.');
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
  const waitsFor = playersOf(room).filter(({ id, online }) => online && answers[id] === undefined);
  return isOpen && waitsFor.length === 0 ? endQuestion(answered, act.atMs) : answered;
}

/** The host does not wait for the rest. */
export function endEarly(room: QuizRoom, act: Act, step: Step): QuizRoom {
  onlyHost(room, act);
  return isAt(room, step) ? active(endQuestion(room, act.atMs), act.atMs) : room;
}

/** From the answer to the next question, or to the end. */
export function next(
  room: QuizRoom,
  act: Act,
  step: Step,
  { nowMs, questionMs }: { nowMs: number; questionMs: number },
): QuizRoom {
  onlyHost(room, act);
  if (!isAt(room, step) || room.phase !== 'reveal') return room;
  const isLast = room.asked.length >= questionsOf(room).length;
  return active(isLast ? changed(room, { phase: 'ended' }) : ask(room, nowMs, questionMs), act.atMs);
}

export function end(room: QuizRoom, act: Act, { round }: { round: number }): QuizRoom {
  onlyHost(room, act);
  if (round !== room.round || room.phase === 'ended') return room;
  return active(changed(endQuestion(room, act.atMs), { phase: 'ended' }), act.atMs);
}

/** Another quiz with the same people. */
export function playAgain(room: QuizRoom, act: Act, { round, set }: { round: number; set: string }): QuizRoom {
  onlyHost(room, act);
  if (round !== room.round || room.phase !== 'ended') return room;
  return active(changed(room, { phase: 'lobby', round: round + 1, setId: set, asked: [] }), act.atMs);
}

/** Something that changes nothing but shows that somebody is there. */
export function cheer(room: QuizRoom, act: Act): QuizRoom {
  if (memberById(room, act.userId) === undefined) throw noMember();
  return active(room, act.atMs);
}

/** Changes by time alone: a question's time is up, or nobody has been active for long after the end. */
export function passTime(
  room: QuizRoom,
  { nowMs, cleanupAfterMs }: { nowMs: number; cleanupAfterMs: number },
): QuizRoom {
  const dueAtMs = nextDeadline(room, cleanupAfterMs);
  if (dueAtMs === undefined || nowMs < dueAtMs) return room;
  return room.phase === 'question' ? endQuestion(room, nowMs) : changed(room, { phase: 'closed' });
}

/** When time does something to this room; `undefined` when it does not. */
export function nextDeadline(room: QuizRoom, cleanupAfterMs: number): number | undefined {
  const asked = room.asked.at(-1);
  if (room.phase === 'closed') return 0;
  if (room.phase === 'question' && asked !== undefined) return asked.endsAtMs + ANSWERS_ARRIVE_MS;
  return room.phase === 'ended' ? room.lastActivityAtMs + cleanupAfterMs : undefined;
}

function ask(room: QuizRoom, nowMs: number, questionMs: number): QuizRoom {
  const asked = { startedAtMs: nowMs, durationMs: questionMs, endsAtMs: nowMs + questionMs, ended: false, answers: {} };
  return changed(room, { phase: 'question', asked: [...room.asked, asked] });
}

function endQuestion(room: QuizRoom, atMs: number): QuizRoom {
  const asked = room.asked.at(-1);
  if (room.phase !== 'question' || asked === undefined) return room;
  const ended = { ...asked, ended: true, endsAtMs: Math.min(asked.endsAtMs, atMs) };
  return changed(withAsked(room, room.asked.length - 1, ended), { phase: 'reveal' });
}

function withAsked(room: QuizRoom, index: number, asked: Asked): QuizRoom {
  return changed(room, { asked: room.asked.map((each, at) => (at === index ? asked : each)) });
}

function isAt(room: QuizRoom, { round, question }: Step): boolean {
  return round === room.round && question === room.asked.length - 1;
}

/** By the user that the edge knows from the token, regardless of the frame. */
function onlyHost(room: QuizRoom, { userId }: Act): void {
  if (memberById(room, userId)?.role === 'host') return;
  throw new Refusal(403, 'FORBIDDEN', 'Only the host can do that.');
}
