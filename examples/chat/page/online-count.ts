/** How many users are online in the whole cluster, in the bar. */
import { element } from '../../page/dom.js';
import { ask } from '../../page/hub.js';

const EVERY_MS = 5000;

export function onlineCount(): HTMLElement {
  const badge = element('span', { class: 'badge', id: 'online', hidden: true });
  const look = async (): Promise<void> => {
    try {
      const { online } = await ask<{ online: number }>('GET', '/ws/online');
      badge.replaceChildren(String(online), element('span', { class: 'more' }, 'online'));
      badge.setAttribute('aria-label', `${online} online`);
      badge.hidden = false;
    } catch {
      badge.hidden = true; // Not known now: better nothing than an old number.
    }
  };
  void look();
  setInterval(() => {
    if (!document.hidden) void look();
  }, EVERY_MS);
  return badge;
}
