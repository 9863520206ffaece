/** The messages of a room. Stays at the newest message unless the reader has scrolled away. */
import { element } from '../dom/element.js';
import { type ItemView, keyedList } from '../dom/keyed-list.js';
import type { Playground } from '../playground.js';
import type { ChatRoom } from '../state/chat-room.js';
import type { Entry, Line } from '../state/entries.js';
import { messageView } from './message.js';
import { stickToEnd } from './stick-to-end.js';

export function messageLog(playground: Playground, name: string) {
  const log = element('div', {
    class: 'log',
    role: 'log',
    'aria-live': 'polite',
    'aria-label': `Messages in ${name}`,
    tabindex: '0',
    'data-testid': 'messages',
  });
  const newer = element('button', { type: 'button', class: 'newer', 'data-testid': 'newer' }, 'Newer messages');
  const sticky = stickToEnd(log, newer);
  const render = keyedList<Entry>(
    log,
    entry => entry.key,
    entry => {
      if (entry.kind === 'line') return lineView(entry);
      const { chat } = playground;
      return messageView(entry, () => {
        const room = chat.rooms.get(name);
        if (room !== undefined) playground.retry(room, entry);
      });
    },
  );
  return {
    elements: [element('div', { class: 'log-frame' }, log, newer)],
    update(room: ChatRoom, visible: boolean): void {
      render(room.entries.all);
      if (visible) sticky.contentChanged();
    },
  };
}

function lineView({ text, at }: Line): ItemView<Entry> {
  return { root: element('p', { class: 'line', 'data-testid': 'line', title: at.toLocaleTimeString() }, text) };
}
