/** Before it starts: the code to share, who is here, and the host's button. */
import { element } from '../../page/dom.js';
import { toast } from '../../page/toasts.js';
import { membersList } from './members-list.js';
import { hostOf, playersOf, type Quiz, type QuizState, type Screen } from './quiz-state.js';

export function lobby(quiz: Quiz, { code }: QuizState): Screen {
  const isHost = quiz.me.role === 'host';
  const people = membersList(quiz.me.id);
  const link = new URL(`/?room=${code}`, location.href).href;
  const words = element('p', { class: 'muted', 'aria-live': 'polite' });
  const start = element(
    'button',
    { type: 'button', class: 'primary big', onclick: () => void quiz.tell('start_quiz') },
    'Start the quiz',
  );
  const share = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(link);
      toast('Link copied', 'good');
    } catch {
      toast(link); // Where pages may not write to the clipboard: to be copied by hand.
    }
  };
  const title = element('h2', {});
  const invitation = element(
    'section',
    { class: 'card invitation' },
    element('p', { class: 'muted' }, 'Join at ', element('strong', {}, location.host), ' with the code'),
    element(
      'p',
      { class: 'big-code', 'aria-label': `Code ${[...code].join(' ')}`, 'data-code': code },
      ...[...code].map(letter => element('span', {}, letter)),
    ),
    element('button', { type: 'button', class: 'quiet', onclick: () => void share() }, 'Copy the link'),
  );
  const controls = element(
    'div',
    { class: 'stack controls' },
    title,
    words,
    isHost && start,
    !isHost && element('button', { type: 'button', class: 'quiet', onclick: () => quiz.leave() }, 'Leave'),
  );
  return {
    element: element(
      'div',
      { class: 'lobby' },
      element('div', { class: 'stack' }, invitation, element('section', { class: 'card' }, controls)),
      people.element,
    ),
    update(state) {
      people.update(state);
      title.textContent = `${state.title}, ${state.questions} questions`;
      const players = playersOf(state);
      start.disabled = players.length === 0;
      const hostName = hostOf(state)?.name ?? 'the host';
      words.textContent = isHost ? hostWords(players.length) : `You are in! Waiting for ${hostName} to start.`;
    },
  };
}

function hostWords(players: number): string {
  if (players === 0) return 'Nobody has joined yet. Share the code, then start.';
  return players === 1
    ? 'One player is in. Start when everybody is here.'
    : `${players} players are in. Start when everybody is here.`;
}
