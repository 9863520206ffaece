/** The switches of the page's head: encoding, colors, and the user's name. */
import { find, setText } from '../dom/element.js';
import type { Playground } from '../playground.js';
import { recallPreferences, rememberPreferences, type Theme } from '../remembered.js';

export function switchesView(playground: Playground): () => void {
  const { chat } = playground;
  const encodings = [...document.querySelectorAll<HTMLInputElement>('input[name="encoding"]')];
  const theme = find('theme', HTMLSelectElement);
  const me = find('me', HTMLElement);
  const name = find('me-name', HTMLElement);

  for (const input of encodings) {
    input.addEventListener('change', () => playground.useEncoding(input.value === 'msgpack' ? 'msgpack' : 'json'));
  }
  theme.value = recallPreferences().theme;
  paint();
  theme.addEventListener('change', () => {
    rememberPreferences({ theme: theme.value as Theme }); // The options of the page are the themes.
    paint();
  });
  find('sign-out', HTMLButtonElement).addEventListener('click', () => playground.signOut());

  /** The style sheet does the rest with light-dark(). */
  function paint(): void {
    document.documentElement.dataset.theme = theme.value;
  }

  return () => {
    for (const input of encodings) input.checked = input.value === chat.encoding;
    me.hidden = !chat.signedIn;
    setText(name, chat.me?.name ?? '');
    name.title = chat.me === undefined ? '' : `User id: ${chat.me.id}`;
  };
}
