/** The page of a seated player: the screen of each phase, and messages of the room. */
import type { HubbubClient } from '@hubbub/client';
import { element } from '../../page/dom.js';
import { toast } from '../../page/toasts.js';
import { shapes } from './landing.js';
import { lobby } from './lobby.js';
import { podium } from './podium.js';
import { questionScreen } from './question.js';
import { openQuiz, type QuizConnection } from './quiz-connection.js';
import { hostOf, type OwnAnswer, type Quiz, type QuizState, type Screen } from './quiz-state.js';
import { forget, type Seat } from './seat.js';

export interface RoomPorts {
  show(...parts: HTMLElement[]): void;
  opened(client: HubbubClient): void;
  /** The seat was given up, or the room is closed: back to the door. */
  left(): void;
}

export class RoomPage implements Quiz {
  readonly #seat: Seat;
  readonly #ports: RoomPorts;
  readonly #answers = new Map<string, OwnAnswer>();
  readonly #hostAway = element('p', { class: 'banner', role: 'status', hidden: true });
  readonly #place = element('div');
  #connection: QuizConnection | undefined;
  #state: QuizState | undefined;
  #screen: Screen | undefined;
  #shown = '';
  #isClosed = false;

  constructor(seat: Seat, ports: RoomPorts) {
    this.#seat = seat;
    this.#ports = ports;
  }

  async open(): Promise<void> {
    this.#connection = await openQuiz(this.#seat, {
      state: state => this.#heard(state),
      answerTaken: ({ round, question, choice }) => this.#answered(round, question, { choice, state: 'counted' }),
      answerCounted: ({ round, question, version, answered }) => {
        const known = this.#state;
        if (known?.question?.index !== question || known.round !== round || version < known.version) return;
        this.#heard({ ...known, version, question: { ...known.question, answered } });
      },
      cheer: ({ emoji, name }) => float(emoji, name),
      refused: ({ message }) => toast(message, 'bad'),
      closed: reason => this.showClosed(reason),
    });
    this.#ports.opened(this.#connection.client);
    this.#ports.show(this.#hostAway, this.#place);
  }

  get me(): Quiz['me'] {
    return this.#connection?.admission.user ?? { id: '', name: '', role: 'player' };
  }

  now = (): number => this.#connection?.now() ?? Date.now();

  ownAnswer = (round: number, question: number): OwnAnswer | undefined => this.#answers.get(`${round}:${question}`);

  choose = (choice: number): void => {
    const { round, question } = this.#state ?? {};
    if (round === undefined || question === undefined || this.ownAnswer(round, question.index) !== undefined) return;
    this.#answered(round, question.index, { choice, state: 'sent' });
    void this.tell('answer_submitted', { round, question: question.index, choice }).then(isTaken => {
      if (this.ownAnswer(round, question.index)?.state !== 'sent') return;
      if (isTaken) this.#answered(round, question.index, { choice, state: 'taken' });
      else {
        this.#answers.delete(`${round}:${question.index}`); // May be chosen again.
        this.#show();
      }
    });
  };

  tell = async (type: string, payload?: Readonly<Record<string, unknown>>): Promise<boolean> =>
    (await this.#connection?.tell(type, payload)) ?? false;

  leave = (): void => {
    forget(this.#seat);
    void this.#connection?.leave();
    this.#isClosed = true;
    this.#screen?.close?.();
    this.#ports.left();
  };

  showClosed(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#screen?.close?.();
    forget(this.#seat);
    const again = element(
      'button',
      { type: 'button', class: 'primary', onclick: () => this.#ports.left() },
      'To the start',
    );
    this.#ports.show(
      element(
        'div',
        { class: 'card narrow stack centered', 'data-closed': '' },
        element('p', { class: 'shapes', 'aria-hidden': 'true' }, ...shapes()),
        element('h2', {}, 'This room is closed'),
        element('p', { class: 'muted', role: 'status' }, reason),
        again,
      ),
    );
    // Not in the middle of a frame of its own.
    setTimeout(() => this.#connection?.end(), 0);
  }

  #heard(state: QuizState): void {
    if (this.#isClosed || state.version < (this.#state?.version ?? 0)) return;
    this.#state = state;
    this.#show();
  }

  #answered(round: number, question: number, answer: OwnAnswer): void {
    this.#answers.set(`${round}:${question}`, answer);
    this.#show();
  }

  #show(): void {
    const state = this.#state;
    if (state === undefined || this.#isClosed) return;
    const shown = `${state.round} ${state.question?.index ?? state.phase}`;
    if (shown !== this.#shown) {
      this.#shown = shown;
      this.#screen?.close?.();
      this.#screen = screenOf(this, state);
      this.#place.replaceChildren(this.#screen.element);
    }
    this.#screen?.update(state);
    const host = hostOf(state);
    this.#hostAway.hidden = host?.online !== false || this.me.role === 'host';
    this.#hostAway.textContent = `${host?.name ?? 'The host'} is offline. The room stays open, and your points are safe.`;
  }
}

function screenOf(quiz: Quiz, state: QuizState): Screen {
  if (state.phase === 'lobby') return lobby(quiz, state);
  return state.phase === 'ended' ? podium(quiz, state) : questionScreen(quiz, state);
}

function float(emoji: string, name: string): void {
  const made = element('span', { class: 'float', 'aria-hidden': 'true', 'data-cheer': name }, emoji);
  made.style.setProperty('--x', String(Math.random()));
  document.body.append(made);
  setTimeout(() => made.remove(), 2500);
}
