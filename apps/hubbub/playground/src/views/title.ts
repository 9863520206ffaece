/** The title of the browser's tab: how much is unread. */
import type { Playground } from '../playground.js';

export function titleView({ chat }: Playground): () => void {
  return () => {
    const title = chat.unread > 0 ? `(${chat.unread}) Hubbub playground` : 'Hubbub playground';
    if (document.title !== title) document.title = title;
  };
}
