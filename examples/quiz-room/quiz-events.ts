/** Handles the client events of pages: the room changes, everybody gets its state. */
import type { Payload, ServiceEvent } from '@hubbub/server';
import { ZodError } from 'zod';
import type { ServiceParts } from '../service/example.js';
import { enter } from './members.js';
import { againPayload, answerPayload, cheerPayload, endPayload, stepPayload } from './messages.js';
import { type Act, answer, cheer, end, endEarly, next, playAgain, start } from './play.js';
import type { QuizRoom } from './quiz.js';
import { Refusal } from './refusal.js';
import { codeOf, hubRoom } from './room-code.js';
import type { RoomKeeper } from './room-keeper.js';

/** Players look at a clock: another instance is there sooner than by default. */
export const TAKEOVER_MS = 2000;

export interface QuizTimes {
  /** Time to answer a question. */
  readonly questionMs: number;
}

export function hearPlayers({ hubbub }: ServiceParts, rooms: RoomKeeper, { questionMs }: QuizTimes): void {
  hubbub.onEvents('quiz', { group: 'quiz-room', leaseMs: TAKEOVER_MS, onError: report }, async event => {
    const code = codeOf(event.room);
    if (code === undefined) return;
    try {
      await handle(code, event);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error; // Redis is away: tried again.
      await event.reply({ type: 'error', payload: refusal });
      // A page that reconnected after the cleanup is in a room without a quiz.
      if (refusal.code === 'NOT_FOUND') await hubbub.closeRoom(hubRoom(code), 'The quiz is over.');
    }
  });

  async function handle(code: string, event: ServiceEvent): Promise<void> {
    const act: Act = { userId: event.user.id, atMs: event.atMs, entryId: event.entryId };
    const { payload } = event;
    const clock = { nowMs: Date.now(), questionMs };
    const changeAndTell = async (how: (room: QuizRoom) => QuizRoom): Promise<void> =>
      rooms.tell(await rooms.change(code, how), `event:${event.entryId}`);

    switch (event.type) {
      case 'join_quiz':
        await changeAndTell(room => enter(room, act.userId, act.atMs));
        return await remindOfAnswer(code, event);
      case 'start_quiz':
        return await changeAndTell(room => start(room, act, clock));
      case 'answer_submitted':
        return await takeAnswer(code, event, act);
      case 'end_question': {
        const step = stepPayload.parse(payload);
        return await changeAndTell(room => endEarly(room, act, step));
      }
      case 'next_question': {
        const step = stepPayload.parse(payload);
        return await changeAndTell(room => next(room, act, step, clock));
      }
      case 'end_quiz': {
        const which = endPayload.parse(payload);
        return await changeAndTell(room => end(room, act, which));
      }
      case 'play_again': {
        const wanted = againPayload.parse(payload);
        return await changeAndTell(room => playAgain(room, act, wanted));
      }
      case 'cheer': {
        const { emoji } = cheerPayload.parse(payload);
        await rooms.change(code, room => cheer(room, act));
        const cause = { idempotencyKey: `cheer:${event.entryId}` };
        await hubbub.publishToRoom(hubRoom(code), {
          type: 'cheer',
          payload: { emoji, name: event.user.name },
          ...cause,
        });
      }
    }
  }

  /** The others learn that somebody has answered; what it was, when the question is over: then in the state. */
  async function takeAnswer(code: string, event: ServiceEvent, act: Act): Promise<void> {
    const given = answerPayload.parse(event.payload);
    const room = await rooms.change(code, room => answer(room, act, given));
    await event.reply(answerTaken(given));
    const asked = room.asked[given.question];
    if (asked?.ended !== false) return await rooms.tell(room, `event:${event.entryId}`);
    const payload: Payload = {
      round: given.round,
      question: given.question,
      version: room.version,
      answered: Object.keys(asked.answers),
    };
    const idempotencyKey = `answer:${event.entryId}`;
    await hubbub.publishToRoom(hubRoom(code), { type: 'answer_counted', payload, idempotencyKey });
  }

  /** A reloaded page does not know what its player has chosen. */
  async function remindOfAnswer(code: string, event: ServiceEvent): Promise<void> {
    const { round, asked, phase } = await rooms.read(code);
    const question = asked.length - 1;
    const choice = asked[question]?.answers[event.user.id]?.choice;
    if (choice === undefined || phase !== 'question') return;
    await event.reply(answerTaken({ round, question, choice }));
  }
}

function answerTaken({ round, question, choice }: { round: number; question: number; choice: number }) {
  return { type: 'answer_taken', payload: { round, question, choice } };
}

function refusalOf(error: unknown): { readonly code: string; readonly message: string } | undefined {
  if (error instanceof Refusal) return { code: error.code, message: error.message };
  if (!(error instanceof ZodError)) return undefined;
  return { code: 'INVALID_PAYLOAD', message: `${error.issues[0]?.path.join('.')}: ${error.issues[0]?.message}` };
}

function report(error: unknown): void {
  process.stderr.write(`An event is tried again: ${error instanceof Error ? error.stack : String(error)}\n`);
}
