/** The page of the quiz: the door, then the room in the phase that it is in. */
import { byId, element } from '../../page/dom.js';
import { pageBar } from '../../page/page-bar.js';
import { toast } from '../../page/toasts.js';
import { landing, shapes } from './landing.js';
import { lobby } from './lobby.js';
import { podium } from './podium.js';
import { questionScreen } from './question.js';
import { openQuiz, type QuizConnection } from './quiz-connection.js';
import { hostOf, type OwnAnswer, type Quiz, type QuizState, type Screen } from './quiz-state.js';
import { forget, type Seat, SeatRefusal, tabSeat } from './seat.js';

const stage = byId('stage', HTMLElement);
const codeChip = element('span', { class: 'badge accent code', hidden: true, title: 'Code of the room' });
const showConnection = pageBar('Quiz night', codeChip);

const invitedTo = (new URLSearchParams(location.search).get('room') ?? '').toUpperCase();
const seated = tabSeat();
if (seated !== undefined && (invitedTo === '' || invitedTo === seated.code)) void enter(seated);
else showDoor(invitedTo);

function showDoor(code: string): void {
  codeChip.hidden = true;
  stage.replaceChildren(landing(code, seat => void enter(seat)));
}

async function enter(seat: Seat): Promise<void> {
  const address = new URL(location.href);
  address.searchParams.set('room', seat.code);
  history.replaceState(null, '', address);
  stage.replaceChildren(element('p', { class: 'empty', role: 'status' }, 'Entering the room …'));
  const room = new RoomPage(seat);
  try {
    await room.open();
  } catch (error) {
    if (error instanceof SeatRefusal) room.showClosed(error.message);
    else
      stage.replaceChildren(tryAgain(error instanceof Error ? error.message : String(error), () => void enter(seat)));
  }
}

function tryAgain(words: string, again: () => void): HTMLElement {
  const button = element('button', { type: 'button', class: 'primary', onclick: again }, 'Try again');
  return element(
    'div',
    { class: 'card narrow stack' },
    element('p', { class: 'problem', role: 'alert' }, words),
    button,
  );
}

class RoomPage implements Quiz {
  readonly #seat: Seat;
  readonly #answers = new Map<string, OwnAnswer>();
  readonly #hostAway = element('p', { class: 'banner', role: 'status', hidden: true });
  readonly #place = element('div');
  #connection: QuizConnection | undefined;
  #state: QuizState | undefined;
  #screen: Screen | undefined;
  #shown = '';
  #isClosed = false;

  constructor(seat: Seat) {
    this.#seat = seat;
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
    showConnection(this.#connection.client);
    codeChip.textContent = this.#seat.code;
    codeChip.hidden = false;
    stage.replaceChildren(this.#hostAway, this.#place);
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
    goToDoor();
  };

  showClosed(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#screen?.close?.();
    forget(this.#seat);
    codeChip.hidden = true;
    const again = element('button', { type: 'button', class: 'primary', onclick: goToDoor }, 'To the start');
    stage.replaceChildren(
      element(
        'div',
        { class: 'card narrow stack centred', 'data-closed': '' },
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
    document.documentElement.dataset.version = String(state.version);
    const host = hostOf(state);
    this.#hostAway.hidden = host?.online !== false || this.me.role === 'host';
    this.#hostAway.textContent = `${host?.name ?? 'The host'} is offline. The room stays open, and your points are safe.`;
  }
}

function screenOf(quiz: Quiz, state: QuizState): Screen {
  if (state.phase === 'lobby') return lobby(quiz, state);
  return state.phase === 'ended' ? podium(quiz, state) : questionScreen(quiz, state);
}

function goToDoor(): void {
  document.querySelector('.connection')?.remove(); // There is none to be told of.
  const address = new URL(location.href);
  address.searchParams.delete('room');
  history.replaceState(null, '', address);
  showDoor('');
}

function float(emoji: string, name: string): void {
  const made = element('span', { class: 'float', 'aria-hidden': 'true', 'data-cheer': name }, emoji);
  made.style.setProperty('--x', String(Math.random()));
  document.body.append(made);
  setTimeout(() => made.remove(), 2500);
}
