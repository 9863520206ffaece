/** A question, from its countdown to its answer: four colors, keys 1 to 4, one's own result, the places after it. */
import { element } from '../../page/dom.js';
import { countdown } from './countdown.js';
import { membersList } from './members-list.js';
import { playersOf, type QuestionState, type Quiz, type QuizState, type Screen } from './quiz-state.js';
import { scoreboard } from './scoreboard.js';
import { speak } from './speak.js';

const SHAPES = ['▲', '◆', '●', '■'];
const HAS_KEYS = matchMedia('(pointer: fine)').matches;
const CHOOSE = `Choose an answer: quick ones get more points.${HAS_KEYS ? ' Keys 1 to 4 work, too.' : ''}`;

export function questionScreen(quiz: Quiz, first: QuizState): Screen {
  const isHost = quiz.me.role === 'host';
  const ring = countdown(() => quiz.now());
  const people = membersList(quiz.me.id);
  const board = scoreboard(quiz.me.id);
  const status = element('p', { class: 'status', role: 'status' });
  const step = () => ({ round: first.round, question: first.question?.index ?? 0 });
  const buttons = (first.question?.answers ?? []).map((text, choice) =>
    answerButton(text, choice, () => quiz.choose(choice)),
  );
  const endNow = hostButton('Show the answer now', () => void quiz.tell('end_question', step()), '');
  const goOn = hostButton('Next question', () => void quiz.tell('next_question', step()), 'primary');
  const endQuiz = hostButton('End the quiz', () => void quiz.tell('end_quiz', { round: first.round }), 'quiet');
  const controls = isHost && element('div', { class: 'row host-controls' }, goOn, endNow, endQuiz);

  const keyed = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLInputElement) return;
    const button = buttons[Number(event.key) - 1];
    if (button !== undefined && !button.disabled) quiz.choose(Number(event.key) - 1);
  };
  if (!isHost) addEventListener('keydown', keyed);
  const number = `Question ${(first.question?.index ?? 0) + 1} of ${first.questions}`;
  speak(`${number}: ${first.question?.text}`);

  let spokenResult = false;
  return {
    element: element(
      'div',
      { class: 'question-screen' },
      element(
        'section',
        { class: 'stack', 'data-question': String(first.question?.index) },
        element(
          'div',
          { class: 'card question' },
          element(
            'div',
            { class: 'stack tight' },
            element('h3', {}, number),
            element('h2', { tabindex: '-1' }, first.question?.text),
          ),
          ring.element,
        ),
        element('div', { class: 'answers' }, ...buttons),
        status,
        controls,
      ),
      element('aside', { class: 'stack' }, board.element, people.element),
    ),
    update(state) {
      const { question, phase } = state;
      if (question === undefined) return;
      const isOver = phase === 'reveal';
      const own = quiz.ownAnswer(state.round, question.index);
      const mine = question.choices?.[quiz.me.id] ?? own?.choice;
      ring.until(isOver ? undefined : question.ends_at_ms, question.duration_ms);
      buttons.forEach((button, choice) => {
        showAnswer(button, { question, choice, mine, canChoose: !isHost && !isOver && mine === undefined });
      });
      status.dataset.answer = own?.state ?? 'none';
      const [kind, words] = isOver ? resultWords(quiz, state) : waitingWords(quiz, state, mine);
      status.className = `status ${kind}`;
      if (status.textContent !== words) status.textContent = words;
      board.element.hidden = !isOver;
      people.element.hidden = isOver;
      if (isOver) board.update(state);
      else people.update(state);
      goOn.hidden = !isOver;
      goOn.textContent = question.index + 1 < state.questions ? 'Next question' : 'To the podium';
      endNow.hidden = isOver;
      if (isOver && !spokenResult) speak(`The right answer: ${question.answers[question.right ?? 0]}.`);
      spokenResult = isOver;
    },
    close() {
      ring.close();
      removeEventListener('keydown', keyed);
    },
  };
}

function answerButton(text: string, choice: number, choose: () => void): HTMLButtonElement {
  return element(
    'button',
    { type: 'button', class: `answer a${choice}`, 'data-choice': String(choice), onclick: choose },
    element('span', { class: 'shape', 'aria-hidden': 'true' }, SHAPES[choice]),
    element('span', { class: 'text' }, text),
    element('span', { class: 'mark' }, element('kbd', {}, String(choice + 1))),
  );
}

function hostButton(words: string, act: () => void, kind: string): HTMLButtonElement {
  return element('button', { type: 'button', class: kind, onclick: act }, words);
}

interface Shown {
  readonly question: QuestionState;
  readonly choice: number;
  readonly mine: number | undefined;
  readonly canChoose: boolean;
}

function showAnswer(button: HTMLButtonElement, { question, choice, mine, canChoose }: Shown): void {
  const isOver = question.right !== undefined;
  button.disabled = !canChoose;
  button.setAttribute('aria-pressed', String(mine === choice));
  button.classList.toggle('mine', mine === choice);
  button.classList.toggle('right', isOver && question.right === choice);
  button.classList.toggle('faded', isOver ? question.right !== choice : mine !== undefined && mine !== choice);
  if (!isOver) return;
  const times = Object.values(question.choices ?? {}).filter(each => each === choice).length;
  const words = question.right === choice ? `✓ ${times}` : String(times);
  button.querySelector('.mark')?.replaceChildren(element('span', { title: `${times} chose it` }, words));
}

function waitingWords(
  { me, ownAnswer }: Quiz,
  state: QuizState,
  mine: number | undefined,
): [kind: string, words: string] {
  const players = playersOf(state);
  const answered = state.question?.answered.length ?? 0;
  const count = `${answered} of ${players.length} answered.`;
  if (me.role === 'host') return ['', count];
  if (mine === undefined) return ['', CHOOSE];
  const isIn = ownAnswer(state.round, state.question?.index ?? 0)?.state !== 'sent';
  return ['accent', isIn ? `Your answer is in. ${count}` : 'Sending your answer …'];
}

function resultWords({ me }: Quiz, state: QuizState): [kind: string, words: string] {
  const { question } = state;
  if (me.role === 'host') {
    const right = Object.values(question?.choices ?? {}).filter(choice => choice === question?.right).length;
    return ['', `${right} of ${playersOf(state).length} had it right.`];
  }
  const mine = question?.choices?.[me.id];
  const gained = state.members.find(({ id }) => id === me.id)?.gained ?? 0;
  if (mine === undefined) return ['warn', 'No answer in time. The next one is yours.'];
  return mine === question?.right ? ['good', `Right! ${gained} points.`] : ['bad', 'Not this time.'];
}
