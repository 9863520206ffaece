/** The page's connection to its room: rejoins after every break, and reports it; sends to the service, and repeats lost messages. */
import { type HubbubClient, HubbubError } from '@hubbub/client';
import { hubClient } from '../../page/hub.js';
import type { QuizState } from './quiz-state.js';
import { type Admission, post, type Seat, SeatRefusal } from './seat.js';

export interface Heard {
  state(state: QuizState): void;
  answerTaken(answer: { round: number; question: number; choice: number }): void;
  answerCounted(counted: { round: number; question: number; version: number; answered: string[] }): void;
  cheer(cheer: { emoji: string; name: string }): void;
  refused(refusal: { code: string; message: string }): void;
  /** The room is gone, or the seat in it. */
  closed(reason: string): void;
}

export interface QuizConnection {
  readonly client: HubbubClient;
  readonly admission: Admission;
  now(): number;
  /** Resolves with whether the hub has it. A repetition has the same id, and counts once. */
  tell(type: string, payload?: Readonly<Record<string, unknown>>): Promise<boolean>;
  /** Gives up the seat. */
  leave(): Promise<void>;
  end(): void;
}

const TRIES = 8;
const PAUSE_MS = 400;
const PAUSE_MAX_MS = 5000;

/** @throws {SeatRefusal} when the seat is not valid (any more) */
export async function openQuiz(seat: Seat, heard: Heard): Promise<QuizConnection> {
  let clockOffsetMs = 0;
  const admit = async (): Promise<Admission> => {
    const askedAtMs = Date.now();
    const admission = await post<Admission>(`/api/rooms/${seat.code}/token`, { pass: seat.pass });
    clockOffsetMs = admission.now_ms - (askedAtMs + Date.now()) / 2;
    return admission;
  };
  const admission = await admit();
  const client = await hubClient('/ws', async () => {
    try {
      return (await admit()).token;
    } catch (error) {
      if (!(error instanceof SeatRefusal) || error.status >= 500) throw error;
      // The room was cleaned up while we were away: reconnecting cannot help.
      heard.closed(error.message);
      throw new HubbubError('UNAUTHORIZED', error.message);
    }
  });
  const room = client.room(admission.room);
  const tell = async (type: string, payload: Readonly<Record<string, unknown>> = {}): Promise<boolean> => {
    const id = `${type}-${crypto.getRandomValues(new Uint32Array(2)).join('')}`;
    for (let tries = 1; ; tries++) {
      try {
        await room.sendEvent(type, payload, { id });
        return true;
      } catch (error) {
        // The id makes the event known again: also one of unknown outcome may be sent again.
        const mayRetry = error instanceof HubbubError && (error.retryable || error.code === 'OUTCOME_UNKNOWN');
        if (!mayRetry || tries === TRIES || client.state === 'closed') {
          heard.refused({
            code: 'UNAVAILABLE',
            message: 'That did not get through. Try again when you are connected.',
          });
          return false;
        }
        await new Promise(resolve => setTimeout(resolve, Math.min(PAUSE_MAX_MS, PAUSE_MS * 2 ** tries)));
      }
    }
  };

  const as = <Of>(payload: unknown): Of => payload as Of; // Of our own service, at which every frame was made.
  room.on('state', ({ payload }) => heard.state(as(payload)));
  room.on('answer_taken', ({ payload }) => heard.answerTaken(as(payload)));
  room.on('answer_counted', ({ payload }) => heard.answerCounted(as(payload)));
  room.on('cheer', ({ payload }) => heard.cheer(as(payload)));
  room.on('error', ({ payload }) => heard.refused(as(payload)));
  room.on('room_closed', ({ payload }) => {
    heard.closed('reason' in payload ? String(payload.reason) : 'The room was closed.');
  });
  // After each entry, the first and those after a break: everybody then gets the state, we too.
  room.onStateChange(({ state }) => state === 'joined' && void tell('join_quiz'));
  client.connect().catch(() => {}); // The badge shows it.
  room.join().catch(() => {}); // As above.
  return {
    client,
    admission,
    now: () => Date.now() + clockOffsetMs,
    tell,
    async leave() {
      await room.leave().catch(() => {}); // Without a connection the hub finds out by itself.
      client.close();
    },
    end: () => client.close(),
  };
}
