/** A seat in a quiz, as a page has it: its connection, the state of the room, and the answers that were given here. */
import { type HubbubClient, HubbubError, type Payload, type Room } from '@hubbub/client';
import { ask, hubClient, keep, kept, ServiceError, sendUntilTaken } from '../../page/hub.js';
import { toast } from '../../page/ui.js';

export interface Seat {
  readonly code: string;
  readonly name: string;
  /** Proves that the seat is ours. The page creates it, so a repeated request does not take a second seat. */
  readonly pass: string;
}

export interface MemberState {
  readonly id: string;
  readonly name: string;
  readonly role: 'host' | 'player';
  readonly online?: false;
  /** RFC 3339, for a member who is offline. */
  readonly last_seen?: string;
  readonly score?: number;
  /** Points of the last question. */
  readonly gained?: number;
}

export interface QuestionState {
  readonly index: number;
  readonly text: string;
  readonly answers: readonly string[];
  readonly ends_at_ms: number;
  readonly duration_ms: number;
  /** Ids of users. */
  readonly answered: readonly string[];
  /** Once the question has ended. */
  readonly right?: number;
  readonly choices?: Readonly<Record<string, number>>;
}

/** The payload of `state`. */
export interface QuizState {
  readonly code: string;
  readonly version: number;
  readonly round: number;
  readonly phase: 'lobby' | 'question' | 'reveal' | 'ended';
  readonly set: string;
  readonly title: string;
  readonly questions: number;
  readonly members: readonly MemberState[];
  readonly question?: QuestionState;
}

/** An answer of this page: on its way, taken by the hub, or counted by the service. */
interface OwnAnswer {
  readonly choice: number;
  readonly state: 'sent' | 'taken' | 'counted';
}

export interface Cheer {
  readonly id: number;
  readonly emoji: string;
  readonly name: string;
  /** Where it rises, from 0 to 1. */
  readonly x: number;
}

interface Admission {
  readonly code: string;
  readonly room: string;
  readonly user: { readonly id: string; readonly name: string; readonly role: 'host' | 'player' };
  readonly token: string;
  readonly now_ms: number;
}

const SEAT = 'quiz-room:seat';
const TRIES = 20;
const CHEERS_SHOWN = 12;

/** Takes a seat. @throws {ServiceError} */
export async function takeSeat(path: string, pass: string, body: object): Promise<Seat> {
  const { code, user } = await ask<Admission>('POST', path, { ...body, pass });
  return { code, name: user.name, pass };
}

/** Takes a seat by a code that may have been typed in any case, with spaces and dashes. @throws {ServiceError} */
export function joinQuiz(pass: string, { code = '', name }: Readonly<Record<string, string>>): Promise<Seat> {
  const wanted = code.toUpperCase().replace(/[\s-]/g, '');
  return takeSeat(`/api/rooms/${encodeURIComponent(wanted)}/join`, pass, { name });
}

/** The code of a link that somebody shared; empty without one. */
export function codeInAddress(): string {
  return new URLSearchParams(location.search).get('room')?.toUpperCase() ?? '';
}

/** A link to this page is an invitation. */
export function nameInAddress(code: string | undefined): void {
  const address = new URL(location.href);
  if (code === undefined) address.searchParams.delete('room');
  else address.searchParams.set('room', code);
  history.replaceState(null, '', address);
}

/** The seat of this tab, for a reload, or the one that was taken last in this browser, for a return. */
export function rememberedSeat(where: 'tab' | 'browser'): Seat | undefined {
  return kept<Seat>(SEAT, where);
}

export class Quiz {
  readonly seat: Seat;
  client: HubbubClient | undefined;
  me: Admission['user'] = { id: '', name: '', role: 'player' };
  state: QuizState | undefined;
  /** Why the room is closed, or the seat in it is gone. */
  closed: string | undefined;
  cheers: readonly Cheer[] = [];
  readonly #redraw: () => void;
  readonly #answers = new Map<string, OwnAnswer>();
  #room: Room | undefined;
  #clockOffsetMs = 0;
  #cheerCount = 0;

  constructor(seat: Seat, redraw: () => void) {
    this.seat = seat;
    this.#redraw = redraw;
  }

  /** @throws {ServiceError} if the service does not answer */
  async open(): Promise<void> {
    keep(SEAT, this.seat, 'tab');
    keep(SEAT, this.seat, 'browser');
    const admission = await this.#admit();
    if (admission === undefined) return;
    this.me = admission.user;
    const client = await hubClient('/ws', async () => {
      const again = await this.#admit();
      if (again === undefined) throw new HubbubError('UNAUTHORIZED', this.closed ?? ''); // Reconnecting does not help.
      return again.token;
    });
    const room = client.room(admission.room);
    this.client = client;
    this.#room = room;
    room.on('state', ({ payload }) => this.#take(payload as unknown as QuizState));
    room.on('answer_taken', ({ payload }) => {
      const { round, question, choice } = payload as unknown as { round: number; question: number; choice: number };
      this.#answer(round, question, { choice, state: 'counted' });
    });
    room.on('answer_counted', ({ payload }) => {
      const { state } = this;
      const counted = payload as unknown as { round: number; question: number; version: number; answered: string[] };
      if (state?.question?.index !== counted.question || state.round !== counted.round) return;
      const { version, answered } = counted;
      this.#take({ ...state, version, question: { ...state.question, answered } });
    });
    room.on('cheer', ({ payload }) => {
      const { emoji, name } = payload as unknown as Cheer;
      const cheer = { id: this.#cheerCount++, emoji, name, x: Math.random() };
      this.cheers = [...this.cheers, cheer].slice(-CHEERS_SHOWN);
      this.#redraw();
    });
    room.on('error', ({ payload }) => toast(payload.message, 'bad'));
    room.on('room_closed', ({ payload }) =>
      this.#close('reason' in payload ? String(payload.reason) : 'The room was closed.'),
    );
    // After each entry, the first one and those after a break, everybody receives the state, this page included.
    room.onStateChange(({ state }) => state === 'joined' && void this.tell('join_quiz'));
    client.connect().catch(() => {}); // The badge shows it.
    room.join().catch(() => {}); // As above.
    this.#redraw();
  }

  /** Milliseconds since 1970 by the clock of the service. */
  now(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  ownAnswer(round: number, question: number): OwnAnswer | undefined {
    return this.#answers.get(`${round}:${question}`);
  }

  async choose(choice: number): Promise<void> {
    const { round, question, phase } = this.state ?? {};
    if (round === undefined || question === undefined || phase !== 'question') return;
    if (this.me.role === 'host' || this.ownAnswer(round, question.index) !== undefined) return;
    this.#answer(round, question.index, { choice, state: 'sent' });
    const isTaken = await this.tell('answer_submitted', { round, question: question.index, choice });
    if (this.ownAnswer(round, question.index)?.state !== 'sent') return;
    this.#answer(round, question.index, isTaken ? { choice, state: 'taken' } : undefined);
  }

  /** Resolves with whether the hub has the event. */
  async tell(type: string, payload: Payload = {}): Promise<boolean> {
    const { client } = this;
    try {
      if (this.#room === undefined) return false;
      const mayRepeat = (_: HubbubError, tries: number): boolean => tries < TRIES && client?.state !== 'closed';
      await sendUntilTaken(this.#room, type, payload, mayRepeat);
      return true;
    } catch {
      toast('That did not get through. Try again when you are connected.', 'bad');
      return false;
    }
  }

  /** Gives up the seat. */
  leave(): void {
    this.#forget();
    const end = (): void => this.client?.close();
    this.#room?.leave().then(end, end); // Without a connection the hub notices that by itself.
  }

  /** `undefined` if the seat is not valid, or not any more. */
  async #admit(): Promise<Admission | undefined> {
    const askedAtMs = Date.now();
    try {
      const { code, pass } = this.seat;
      const admission = await ask<Admission>('POST', `/api/rooms/${code}/token`, { pass });
      this.#clockOffsetMs = admission.now_ms - (askedAtMs + Date.now()) / 2;
      return admission;
    } catch (error) {
      if (!(error instanceof ServiceError) || error.status === 0 || error.status >= 500) throw error;
      this.#close(error.message);
      return undefined;
    }
  }

  #close(reason: string): void {
    if (this.closed !== undefined) return;
    this.closed = reason;
    this.#forget();
    this.#redraw();
    setTimeout(() => this.client?.close(), 0); // Not in the middle of a frame.
  }

  #forget(): void {
    keep(SEAT, undefined, 'tab');
    if (rememberedSeat('browser')?.pass === this.seat.pass) keep(SEAT, undefined, 'browser');
  }

  #take(state: QuizState): void {
    if (state.version < (this.state?.version ?? 0)) return;
    this.state = state;
    this.#redraw();
  }

  #answer(round: number, question: number, answer: OwnAnswer | undefined): void {
    if (answer === undefined) this.#answers.delete(`${round}:${question}`);
    else this.#answers.set(`${round}:${question}`, answer);
    this.#redraw();
  }
}

export function playersOf({ members }: QuizState): readonly MemberState[] {
  return members.filter(({ role }) => role === 'player');
}

export function hostOf({ members }: QuizState): MemberState | undefined {
  return members.find(({ role }) => role === 'host');
}

export interface Place {
  readonly member: MemberState;
  /** 1 is the best; equal scores share it. */
  readonly place: number;
}

/** Players, the best first. */
export function placesOf(state: QuizState, score: (member: MemberState) => number): readonly Place[] {
  const sorted = playersOf(state).toSorted(
    (one, other) => score(other) - score(one) || one.name.localeCompare(other.name),
  );
  return sorted.map(member => ({ member, place: 1 + sorted.filter(each => score(each) > score(member)).length }));
}

export const scoreNow = ({ score = 0 }: MemberState): number => score;
export const scoreBefore = ({ score = 0, gained = 0 }: MemberState): number => score - gained;
