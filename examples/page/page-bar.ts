/** The bar on top: the name of the example, what the page adds, the connection, light or dark. */
import type { HubbubClient } from '@hubbub/client';
import { connectionBadge } from './connection-badge.js';
import { element } from './dom.js';
import { themeButton } from './theme.js';

/** Puts the bar on top of the page, and returns what shows a client's connection there. */
export function pageBar(title: string, ...more: HTMLElement[]): (client: HubbubClient) => void {
  const state = element('span');
  document.body.prepend(element('header', { class: 'bar' }, element('h1', {}, title), ...more, state, themeButton()));
  return client => state.replaceChildren(connectionBadge(client));
}
