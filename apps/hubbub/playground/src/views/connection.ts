/** The state of the connection, why it is so, and what can be done about it. */
import { find, setText } from '../dom/element.js';
import type { Playground } from '../playground.js';
import { lossWords, stateWords } from '../words.js';

const COUNTDOWN_STEP_MS = 250;

export function connectionView(playground: Playground): () => void {
  const { chat } = playground;
  const box = find('connection', HTMLElement);
  const words = find('connection-state', HTMLElement);
  // Beside the live region and not in it: nobody wants to hear every second.
  const countdown = find('connection-countdown', HTMLElement);
  const reason = find('connection-reason', HTMLElement);
  const action = find('connection-action', HTMLButtonElement);
  let timer: ReturnType<typeof setTimeout> | undefined;

  action.addEventListener('click', () => {
    if (canConnect()) playground.connect();
    else playground.disconnect();
  });

  function canConnect(): boolean {
    return ['idle', 'closed', 'waiting'].includes(chat.connection.state);
  }

  function renderCountdown(): void {
    clearTimeout(timer);
    const { retryAtMs } = chat.connection;
    const restMs = Math.max(0, (retryAtMs ?? 0) - performance.now());
    setText(countdown, retryAtMs === undefined ? '' : `in ${Math.ceil(restMs / 1000)} s`);
    if (retryAtMs !== undefined) timer = setTimeout(renderCountdown, COUNTDOWN_STEP_MS);
  }

  return () => {
    const { state, error, closeCode } = chat.connection;
    box.hidden = !chat.signedIn;
    box.dataset.state = state;
    setText(words, stateWords(state));
    const lost = state === 'waiting' || state === 'closed';
    const why = lost ? lossWords(chat.connection) : '';
    const code = closeCode === undefined ? error?.code : `Close code ${closeCode}.`;
    setText(reason, why === '' ? '' : `${why} ${code ?? ''}`);
    reason.title = lost ? (error?.message ?? '') : '';
    setText(action, canConnect() ? 'Connect now' : 'Disconnect');
    renderCountdown();
  };
}
