/** The people in the selected room, and their number. */
import type { Sender } from '@hubbub/client';
import { avatar, byId, element } from '../../page/dom.js';
import { showList } from '../../page/keyed-list.js';
import type { Conversation } from './conversation.js';

export function showPeople({ room, typists }: Conversation, me: Sender): void {
  const { users, count } = room.roster;
  const typing = new Set(typists.ids);
  const sorted = [...users].sort((a, b) => +(b.id === me.id) - +(a.id === me.id) || a.name.localeCompare(b.name));
  byId('people-title', HTMLElement).textContent = `In this room: ${count}`;
  byId('show-people', HTMLButtonElement).textContent = count === 1 ? '1 person' : `${count} people`;
  const items = sorted.map(({ id, name }) => {
    const words = id === me.id ? 'you' : typing.has(id) ? 'typing …' : '';
    return {
      key: id,
      shown: `${name} ${words}`,
      make: () =>
        element(
          'li',
          { 'data-user': id },
          avatar(name, id),
          element('span', { class: 'name' }, name),
          words !== '' && element('span', { class: 'muted small' }, words),
        ),
    };
  });
  const others = count - users.length;
  const rest = {
    key: 'others',
    shown: String(others),
    make: () => element('li', { class: 'muted' }, `and ${others} others`),
  };
  showList(byId('roster', HTMLUListElement), others > 0 ? [...items, rest] : items);
}
