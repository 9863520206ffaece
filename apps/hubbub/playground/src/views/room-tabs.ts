/** The rooms as tabs (arrow keys walk, Delete leaves), and the field to join another. */
import { isRoomName } from '@hubbub/protocol';
import { element, find, setAttributes, setText } from '../dom/element.js';
import { keyedList } from '../dom/keyed-list.js';
import type { Playground } from '../playground.js';
import type { ChatRoom } from '../state/chat-room.js';
import { ROOM_NAME_RULE } from '../words.js';

export function roomTabsView(playground: Playground): () => void {
  const { chat } = playground;
  const tabs = find('tabs', HTMLElement);
  let shown: string | undefined;
  joinForm(playground);
  tabs.addEventListener('keydown', event => {
    const names = [...chat.rooms.keys()];
    const index = names.indexOf(chat.activeRoom ?? '');
    const target = {
      ArrowRight: names[(index + 1) % names.length],
      ArrowLeft: names.at(index - 1),
      Home: names[0],
      End: names.at(-1),
    }[event.key];
    if (event.key === 'Delete' && chat.activeRoom !== undefined) playground.leaveRoom(chat.activeRoom);
    else if (target !== undefined) playground.lookAt(target);
    else return;
    event.preventDefault();
    requestAnimationFrame(() => setTimeout(focusActive, 20)); // After the rendering that is planned.
  });

  function focusActive(): void {
    tabs.querySelector<HTMLElement>('[aria-selected="true"]')?.focus();
  }

  const render = keyedList<ChatRoom>(
    tabs,
    room => room.name,
    ({ name }) => {
      const badge = element('span', { class: 'badge', 'data-testid': 'unread', 'data-room': name });
      const root = element(
        'button',
        {
          type: 'button',
          role: 'tab',
          class: 'tab',
          id: `tab-${name}`,
          'aria-controls': `panel-${name}`,
          'data-testid': 'room-tab',
          'data-room': name,
        },
        element('span', { class: 'tab-name' }, name),
        badge,
      );
      root.addEventListener('click', () => playground.lookAt(name));
      return {
        root,
        update(room) {
          const selected = chat.activeRoom === name;
          setAttributes(root, {
            'aria-selected': String(selected),
            tabindex: selected ? '0' : '-1',
            'data-state': room.state,
            'aria-label': room.unread > 0 ? `${name}, ${room.unread} unread` : name,
          });
          setText(badge, room.unread > 99 ? '99+' : String(room.unread));
          badge.hidden = room.unread === 0;
        },
      };
    },
  );
  return () => {
    render([...chat.rooms.values()]);
    if (shown === chat.activeRoom) return;
    shown = chat.activeRoom;
    tabs.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  };
}

function joinForm(playground: Playground): void {
  const input = find('join-room', HTMLInputElement);
  const problem = find('join-problem', HTMLElement);
  const message = find('message', HTMLTextAreaElement);

  function complain(text: string): void {
    setText(problem, text);
    setAttributes(input, { 'aria-invalid': text === '' ? undefined : 'true' });
  }
  input.addEventListener('input', () => complain(''));
  input.addEventListener('keydown', event => {
    if (event.key !== 'Escape') return;
    input.value = '';
    complain('');
    message.focus();
  });
  find('join-form', HTMLFormElement).addEventListener('submit', event => {
    event.preventDefault();
    const name = input.value.trim();
    if (name === '') return input.focus();
    if (!isRoomName(name)) return complain(`That is not a room name. ${ROOM_NAME_RULE}`);
    input.value = '';
    playground.enterRoom(name);
    message.focus();
  });
}
