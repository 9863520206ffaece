/** A quiz room as a document. Scores and places are computed from it, so that nothing is counted twice. */
import { type Question, questionSet } from './question-sets.js';
import { Refusal } from './refusal.js';

export interface Member {
  /** The user's id at the hub. */
  readonly id: string;
  readonly name: string;
  readonly role: 'host' | 'player';
  /** Hash of what the page remembers: who has it is this member again. */
  readonly passHash: string;
  readonly seatedAtMs: number;
  /** Whether its page was in the room: until then the name is only kept for it. */
  readonly entered: boolean;
  readonly online: boolean;
  /** The time of the hub's report about `online`: older news is ignored. 0: no news yet. */
  readonly presenceAtMs: number;
  readonly lastSeenMs?: number;
}

export interface Answer {
  readonly choice: number;
  /** When the edge took it in. */
  readonly atMs: number;
  /** The client event that it came by: the same one again is not a second answer. */
  readonly entryId: string;
}

/** A question that was asked. */
export interface Asked {
  readonly startedAtMs: number;
  /** The time there was to answer; what is left of it decides the points, also where the question was ended before. */
  readonly durationMs: number;
  /** No answer counts after it: when the time is up, or when the question was ended before. */
  readonly endsAtMs: number;
  readonly ended: boolean;
  /** By user. */
  readonly answers: Readonly<Record<string, Answer>>;
}

/** `closed`: members are being notified; the document is gone directly after. */
export type Phase = 'lobby' | 'question' | 'reveal' | 'ended' | 'closed';

/** A type and not an interface: documents are records, which interfaces are not. */
export type QuizRoom = {
  readonly code: string;
  readonly setId: string;
  /** Counts changes: of two states the one with the higher version is newer. */
  readonly version: number;
  /** Counts quizzes in this room: what was meant for an earlier one does not touch the next. */
  readonly round: number;
  readonly phase: Phase;
  readonly members: readonly Member[];
  /** One for each question asked so far, in order. */
  readonly asked: readonly Asked[];
  readonly lastActivityAtMs: number;
};

const POINTS_MAX = 1000;
const POINTS_MIN = 500;

export function newRoom(code: string, setId: string, nowMs: number): QuizRoom {
  return {
    code,
    setId,
    version: 1,
    round: 1,
    phase: 'lobby',
    members: [],
    asked: [],
    lastActivityAtMs: nowMs,
  };
}

/** @throws {Refusal} where it is not there, or not any more. */
export function open(room: QuizRoom | undefined): QuizRoom {
  if (room !== undefined && room.phase !== 'closed') return room;
  throw new Refusal(404, 'NOT_FOUND', 'There is no quiz with this code. Check it with your host: it may have ended.');
}

/** The room with changes, or the same one when there are none. */
export function changed(room: QuizRoom, changes: Partial<QuizRoom>): QuizRoom {
  return { ...room, ...changes, version: room.version + 1 };
}

export function active(room: QuizRoom, atMs: number): QuizRoom {
  return atMs > room.lastActivityAtMs ? { ...room, lastActivityAtMs: atMs } : room;
}

export function questionsOf({ setId }: QuizRoom): readonly Question[] {
  return questionSet(setId).questions;
}

export function playersOf({ members }: QuizRoom): readonly Member[] {
  return members.filter(({ role, entered }) => role === 'player' && entered);
}

/** A player's points for a question: more for a quick answer. Clocks of edges and services may differ a little: within bounds. */
export function pointsFor(room: QuizRoom, index: number, userId: string): number {
  const asked = room.asked[index];
  const answer = asked?.answers[userId];
  if (asked === undefined || answer === undefined || answer.choice !== questionsOf(room)[index]?.right) return 0;
  const spent = (answer.atMs - asked.startedAtMs) / asked.durationMs;
  return Math.round(POINTS_MAX - (POINTS_MAX - POINTS_MIN) * Math.min(1, Math.max(0, spent)));
}

/** Points of the questions that are over: the current one would reveal who is right. */
export function scoreOf(room: QuizRoom, userId: string): number {
  return room.asked.reduce((sum, { ended }, index) => sum + (ended ? pointsFor(room, index, userId) : 0), 0);
}
