/** How many users are online in the whole cluster, in the bar. */
import { element } from '../../page/dom.js';
import { ask } from '../../page/hub.js';

const EVERY_MS = 5000;

export interface OnlineCount {
  readonly badge: HTMLElement;
  /** Asks now, and not only when it is time. */
  look(): Promise<void>;
}

export function onlineCount(): OnlineCount {
  const badge = element('span', { class: 'badge', id: 'online', hidden: true });
  const look = async (): Promise<void> => {
    try {
      const { online } = await ask<{ online: number }>('GET', '/ws/online');
      badge.textContent = `${online} online`;
      badge.hidden = false;
    } catch {
      badge.hidden = true; // Not known now: better nothing than an old number.
    }
  };
  setInterval(() => {
    if (!document.hidden) void look();
  }, EVERY_MS);
  return { badge, look };
}
