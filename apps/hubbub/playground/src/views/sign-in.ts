/** The question for a name, until somebody is signed in. */
import { find, setAttributes, setText } from '../dom/element.js';
import type { Playground } from '../playground.js';
import { recallPreferences } from '../remembered.js';

export function signInView(playground: Playground): () => void {
  const { chat } = playground;
  const page = find('sign-in', HTMLElement);
  const workspace = find('workspace', HTMLElement);
  const form = find('sign-in-form', HTMLFormElement);
  const name = find('name', HTMLInputElement);
  const problem = find('name-problem', HTMLElement);
  name.value = recallPreferences().name;

  form.addEventListener('submit', event => {
    event.preventDefault();
    const wish = name.value.trim();
    setText(problem, wish === '' ? 'Please give a name.' : '');
    setAttributes(name, { 'aria-invalid': wish === '' ? 'true' : undefined });
    if (wish === '') return name.focus();
    playground.signIn({ name: wish });
  });

  let asked: boolean | undefined;
  return () => {
    if (asked === !chat.signedIn) return;
    asked = !chat.signedIn;
    page.hidden = chat.signedIn;
    workspace.hidden = !chat.signedIn;
    if (chat.signedIn) find('message', HTMLElement).focus();
    else name.select();
  };
}
