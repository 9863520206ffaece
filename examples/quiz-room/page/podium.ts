/** The end: the first three on their steps, all places, cheers, and another one for the host. */
import { avatar, element } from '../../page/dom.js';
import { ask } from '../../page/hub.js';
import { hostOf, type Quiz, type QuizState, type Screen } from './quiz-state.js';
import { type Place, placesOf, scoreboard } from './scoreboard.js';
import { speak } from './speak.js';

const CHEERS = ['👏', '🎉', '😂', '😮', '❤️'];
/** As they stand: second, first, third. */
const STEPS = [1, 0, 2];

export function podium(quiz: Quiz, first: QuizState): Screen {
  const steps = element('ol', { class: 'podium', 'aria-label': 'The first three' });
  const board = scoreboard(quiz.me.id);
  const title = element('h2', { tabindex: '-1' });
  const cheers = CHEERS.map(emoji =>
    element(
      'button',
      {
        type: 'button',
        class: 'quiet cheer',
        'aria-label': `Cheer ${emoji}`,
        onclick: () => void quiz.tell('cheer', { emoji }),
      },
      emoji,
    ),
  );
  let isFirst = true;
  return {
    element: element(
      'div',
      { class: 'ending stack' },
      element(
        'section',
        { class: 'card stack celebration' },
        title,
        steps,
        element('div', { class: 'row cheers' }, ...cheers),
      ),
      board.element,
      quiz.me.role === 'host'
        ? againForm(quiz, first)
        : element(
            'p',
            { class: 'muted small centered' },
            'The room closes when nobody has been active for a while. Your host may start another quiz until then.',
          ),
    ),
    update(state) {
      const places = placesOf(state);
      const hasPlayed = places.some(({ member }) => (member.score ?? 0) > 0);
      steps.hidden = !hasPlayed;
      steps.replaceChildren(
        ...STEPS.flatMap(index => places[index] ?? []).map(place => stepOf(place, places.indexOf(place))),
      );
      title.textContent = endWords(quiz, state, places, hasPlayed);
      board.update(state);
      if (isFirst) speak(title.textContent);
      isFirst = false;
    },
  };
}

function stepOf({ member, place }: Place, index: number): HTMLElement {
  const { id, name, score = 0 } = member;
  return element(
    'li',
    { class: `step step${index}`, 'data-podium': String(place) },
    avatar(name, id),
    element('strong', { class: 'name' }, name),
    element(
      'span',
      { class: 'block' },
      element('span', { class: 'rank' }, String(place)),
      element('span', { class: 'small' }, score.toLocaleString('en')),
    ),
  );
}

function endWords({ me }: Quiz, state: QuizState, places: readonly Place[], hasPlayed: boolean): string {
  if (!hasPlayed) return `That was it. Thanks to ${hostOf(state)?.name ?? 'the host'}!`;
  const winners = places.filter(({ place }) => place === 1).map(({ member }) => member);
  if (winners.some(({ id }) => id === me.id))
    return winners.length === 1 ? 'You have won!' : 'You share the first place!';
  return `${winners.map(({ name }) => name).join(' and ')} ${winners.length === 1 ? 'has' : 'have'} won!`;
}

function againForm(quiz: Quiz, { round, set }: QuizState): HTMLElement {
  const sets = element(
    'select',
    { 'aria-label': 'Questions' },
    element('option', { value: set }, 'The same questions'),
  );
  ask<{ id: string; title: string }[]>('GET', '/api/sets')
    .then(known => {
      sets.replaceChildren(...known.map(({ id, title }) => element('option', { value: id }, title)));
      sets.value = known[(known.findIndex(({ id }) => id === set) + 1) % known.length]?.id ?? set;
    })
    .catch(() => {}); // Then the same questions again.
  return element(
    'section',
    { class: 'card stack' },
    element('h3', {}, 'Another one?'),
    element(
      'div',
      { class: 'row' },
      element('label', { class: 'grow' }, sets),
      element(
        'button',
        { type: 'button', class: 'primary', onclick: () => void quiz.tell('play_again', { round, set: sets.value }) },
        'Play again',
      ),
    ),
    element(
      'p',
      { class: 'muted small' },
      'The same people, the same code. Otherwise the room closes when nobody has been active for a while.',
    ),
  );
}
