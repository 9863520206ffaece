/** Where messages are written. Each room keeps its draft. */
import { find, setText } from '../dom/element.js';
import type { Playground } from '../playground.js';
import type { ChatRoom } from '../state/chat-room.js';
import { typingWords } from '../words.js';

export function composerView(playground: Playground): () => void {
  const { chat } = playground;
  const form = find('composer', HTMLFormElement);
  const input = find('message', HTMLTextAreaElement);
  const typists = find('typists', HTMLElement);
  let shown: ChatRoom | undefined;

  input.addEventListener('input', () => {
    if (shown === undefined) return;
    shown.draft = input.value;
    if (input.value.trim() === '') playground.stopTyping();
    else playground.typed(shown);
  });
  input.addEventListener('blur', () => playground.stopTyping());
  input.addEventListener('keydown', event => {
    if (event.key === 'Escape') playground.stopTyping();
    // While an input method composes, Enter belongs to it.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener('submit', event => {
    event.preventDefault();
    input.focus();
    const text = input.value.trim();
    if (text === '' || shown === undefined) return;
    input.value = '';
    shown.draft = '';
    playground.say(shown, text);
  });

  return () => {
    form.hidden = chat.active === undefined;
    setText(typists, typingWords(chat.active?.typists.names ?? []));
    if (shown === chat.active) return;
    shown = chat.active;
    input.value = shown?.draft ?? '';
    input.placeholder = shown === undefined ? '' : `Write to ${shown.name}`;
  };
}
