/** The state of the connection, always visible: connected, reconnecting in some seconds, or closed and what to do. */
import type { HubbubClient } from '@hubbub/client';
import { element } from './dom.js';

const TICK_MS = 500;

/** A badge that follows the client for as long as the page lives. */
export function connectionBadge(client: HubbubClient): HTMLElement {
  const badge = element('span', { role: 'status', 'data-connection': 'idle' });
  let retryAtMs: number | undefined;
  let reason: string | undefined;

  const show = (): void => {
    const [kind, words] = wordsOf(client, retryAtMs);
    badge.title = client.state === 'closed' || client.state === 'waiting' ? (reason ?? '') : '';
    badge.className = `badge connection ${kind}`;
    badge.dataset.connection = client.state;
    if (badge.textContent !== words) badge.textContent = words;
  };
  client.on('state', change => {
    retryAtMs = change.delayMs === undefined ? undefined : Date.now() + change.delayMs;
    reason = change.error?.message;
    show();
  });
  setInterval(show, TICK_MS);
  for (const event of ['online', 'offline']) addEventListener(event, show);
  show();
  return badge;
}

function wordsOf({ state }: HubbubClient, retryAtMs: number | undefined): [kind: string, words: string] {
  switch (state) {
    case 'open':
    case 'moving':
      return ['good', 'Connected'];
    case 'waiting': {
      if (!navigator.onLine) return ['bad', 'Offline: back with your network'];
      const seconds = Math.ceil(Math.max(0, (retryAtMs ?? Date.now()) - Date.now()) / 1000);
      return ['warn', seconds > 0 ? `Reconnecting in ${seconds} s` : 'Reconnecting …'];
    }
    case 'closed':
      return ['bad', 'Disconnected: reload to reconnect'];
    case 'idle':
      return ['', 'Not connected'];
    default:
      return ['warn', 'Connecting …'];
  }
}
