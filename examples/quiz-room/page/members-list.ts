/** The people in a room: who hosts, who is offline and since when, who has answered. */
import { avatar, element } from '../../page/dom.js';
import type { MemberState, QuizState } from './quiz-state.js';

/** @param meId the user of the page */
export function membersList(meId: string): { readonly element: HTMLElement; update(state: QuizState): void } {
  const count = element('span', { class: 'badge accent', 'data-count': '' });
  const list = element('ul', { class: 'people', 'aria-label': 'People in the room' });
  const title = element('h3', {}, 'In the room');
  return {
    element: element('section', { class: 'card stack' }, element('div', { class: 'row spread' }, title, count), list),
    update({ members, phase, question }) {
      count.textContent = `${members.length} ${members.length === 1 ? 'person' : 'people'}`;
      const answered = phase === 'question' ? question?.answered : undefined;
      list.replaceChildren(...members.map(member => person(member, meId, answered)));
    },
  };
}

function person(member: MemberState, meId: string, answered: readonly string[] | undefined): HTMLElement {
  const { id, name, role, online, last_seen } = member;
  const isOnline = online !== false;
  const since =
    last_seen === undefined ? '' : ` since ${new Date(last_seen).toLocaleTimeString([], { timeStyle: 'short' })}`;
  return element(
    'li',
    { class: isOnline ? 'person' : 'person away', 'data-member': name, 'data-online': String(isOnline) },
    element('span', { class: 'portrait' }, avatar(name, id), element('span', { class: 'dot', 'aria-hidden': 'true' })),
    element(
      'span',
      { class: 'who' },
      element('span', { class: 'name' }, name, id === meId && element('span', { class: 'muted' }, ' (you)')),
      element('span', { class: 'small muted' }, isOnline ? roleWords(role) : `offline${since}`),
    ),
    answered?.includes(id) === true && element('span', { class: 'badge good' }, '✓ answered'),
  );
}

function roleWords(role: MemberState['role']): string {
  return role === 'host' ? '★ host' : 'online';
}
