/** One panel per room, of which one is seen: hidden live regions stay silent when the tab changes. */
import { element, find, setAttributes, setText } from '../dom/element.js';
import { keyedList } from '../dom/keyed-list.js';
import type { Playground } from '../playground.js';
import type { ChatRoom } from '../state/chat-room.js';
import { errorWords, peopleWords } from '../words.js';
import { messageLog } from './message-log.js';

const STATE_WORDS = { left: 'not joined', joining: 'joining…', joined: '', rejoining: 'joining again…' } as const;

export function roomPanelsView(playground: Playground): () => void {
  const { chat } = playground;
  const none = find('no-room', HTMLElement);
  const render = keyedList<ChatRoom>(
    find('room-panels', HTMLElement),
    room => room.name,
    room => roomPanel(playground, room),
  );
  document.addEventListener('visibilitychange', () => playground.markRead());
  return () => {
    render([...chat.rooms.values()]);
    none.hidden = chat.active !== undefined;
  };
}

function roomPanel(playground: Playground, { name }: ChatRoom) {
  const { chat } = playground;
  const facts = element('span', { class: 'room-facts', 'data-testid': 'room-facts' });
  const leave = element('button', { type: 'button', class: 'quiet small', 'data-testid': 'leave-room' }, 'Leave');
  leave.addEventListener('click', () => playground.leaveRoom(name));
  const problem = element('span');
  const code = element('code', { 'data-testid': 'room-problem-code' });
  const again = element('button', { type: 'button', class: 'quiet small', 'data-testid': 'rejoin' }, 'Try again');
  again.addEventListener('click', () => playground.enterRoom(name));
  const banner = element(
    'div',
    { class: 'notice', role: 'alert', 'data-testid': 'room-problem' },
    problem,
    code,
    again,
  );
  const log = messageLog(playground, name);
  const root = element(
    'div',
    {
      class: 'room-panel',
      role: 'tabpanel',
      id: `panel-${name}`,
      'aria-labelledby': `tab-${name}`,
      'data-testid': 'room-panel',
      'data-room': name,
    },
    element('header', { class: 'room-head' }, element('h2', {}, name), facts, leave),
    banner,
    ...log.elements,
  );
  return {
    root,
    update(room: ChatRoom): void {
      const active = chat.activeRoom === name;
      // Without a connection no room is joined: the connection's own text is enough.
      const connected = chat.connection.state === 'open' || chat.connection.state === 'restoring';
      root.hidden = !active;
      setAttributes(root, { 'data-state': room.state });
      setText(facts, STATE_WORDS[room.state] || peopleWords(room.count));
      banner.hidden = !(room.state === 'left' && room.error !== undefined && connected);
      setText(problem, room.error === undefined ? '' : `You are not in this room. ${errorWords(room.error)}`);
      setText(code, room.error?.code ?? '');
      banner.title = room.error?.message ?? '';
      log.update(room, active);
    },
  };
}
