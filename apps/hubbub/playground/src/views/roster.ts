/** The users in the selected room. */
import type { RosterUser } from '@hubbub/client';
import { element, find, setAttributes, setText } from '../dom/element.js';
import { keyedList } from '../dom/keyed-list.js';
import type { Playground } from '../playground.js';
import { avatar } from './avatar.js';

export function rosterView({ chat }: Playground): () => void {
  const count = find('roster-count', HTMLElement);
  const more = find('roster-more', HTMLElement);
  const render = keyedList<RosterUser>(
    find('roster', HTMLElement),
    // A user who reconnected under another name is drawn again.
    user => `${user.id}\n${user.name}`,
    user => {
      const note = element('span', { class: 'note' });
      const root = element(
        'li',
        { 'data-testid': 'roster-user', 'data-user': user.id },
        avatar(user),
        element('span', { class: 'roster-name', title: `User id: ${user.id}` }, user.name),
        note,
      );
      return {
        root,
        update({ id, online }) {
          setAttributes(root, { 'data-away': online === false });
          setText(note, online === false ? 'away' : id === chat.me?.id ? 'you' : '');
        },
      };
    },
  );
  return () => {
    const room = chat.active;
    const joined = room?.state === 'joined' || room?.state === 'rejoining';
    const users = joined ? room.users : [];
    const total = joined ? room.count : 0;
    render(users);
    setText(count, String(total));
    setText(more, total > users.length && users.length > 0 ? `and ${total - users.length} more` : '');
  };
}
