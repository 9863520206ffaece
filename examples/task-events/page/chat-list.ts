/** The chats of the user, with what is unread. */
import { byId, element } from '../../page/dom.js';
import { showList } from '../../page/keyed-list.js';
import type { ChatState } from './chat-state.js';

export function showChatList(chats: readonly ChatState[], active: string | undefined): void {
  byId('no-chats', HTMLElement).hidden = chats.length > 0;
  showList(
    byId('chats', HTMLUListElement),
    chats.map(({ chatId, title, unread, tasks }) => {
      const open = tasks.filter(({ status }) => status !== 'done').length;
      const isActive = chatId === active;
      return {
        key: chatId,
        shown: JSON.stringify([title, unread, open, isActive]),
        make: () =>
          element(
            'li',
            {},
            element(
              'a',
              {
                href: `#${chatId}`,
                'data-focus': 'chat',
                'data-chat': chatId,
                ...(isActive && { 'aria-current': 'page' }),
              },
              element(
                'span',
                { class: 'name' },
                title,
                element('span', { class: 'muted small' }, open === 1 ? '1 open task' : `${open} open tasks`),
              ),
              unread > 0 &&
                element(
                  'span',
                  { class: 'unread' },
                  String(unread),
                  element('span', { class: 'visually-hidden' }, ' unread'),
                ),
            ),
          ),
      };
    }),
  );
  const all = chats.reduce((sum, { unread }) => sum + unread, 0);
  document.title = all > 0 ? `(${all}) Chat and tasks` : 'Chat and tasks';
}
