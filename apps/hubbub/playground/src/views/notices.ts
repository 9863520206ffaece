/** Error notices; each disappears on a click, on Escape, or after a while. */
import { element, find } from '../dom/element.js';
import { keyedList } from '../dom/keyed-list.js';
import type { Playground } from '../playground.js';
import type { Notice } from '../state/chat.js';

const SHOWN_MS = 12_000;

export function noticesView({ chat }: Playground): () => void {
  document.addEventListener('keydown', event => {
    const newest = chat.notices.at(-1);
    if (event.key === 'Escape' && newest !== undefined) chat.dismiss(newest.key);
  });
  const render = keyedList<Notice>(
    find('notices', HTMLElement),
    notice => notice.key,
    notice => {
      const close = element('button', { type: 'button', class: 'quiet small', 'aria-label': 'Dismiss' }, 'Dismiss');
      close.addEventListener('click', () => chat.dismiss(notice.key));
      setTimeout(() => chat.dismiss(notice.key), SHOWN_MS);
      const code = notice.code === undefined ? undefined : element('code', {}, notice.code);
      return {
        root: element(
          'div',
          { class: 'notice', 'data-testid': 'notice' },
          element('span', {}, notice.text),
          code,
          close,
        ),
      };
    },
  );
  return () => render(chat.notices);
}
