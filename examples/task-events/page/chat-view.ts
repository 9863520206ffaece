/** The selected chat: messages, posted and edited live, typists, and the input. */
import type { Sender } from '@hubbub/client';
import { avatar, byId, element } from '../../page/dom.js';
import { type Keyed, showList } from '../../page/keyed-list.js';
import { typingWords } from '../../page/typists.js';
import type { ChatState } from './chat-state.js';
import type { Message } from './service-calls.js';

export interface ChatActions {
  post(text: string): void;
  edit(messageId: string, text: string): void;
  typing(): void;
}

const GROUP_MS = 5 * 60_000;
const END_PX = 60;
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

export class ChatView {
  readonly #me: Sender;
  readonly #actions: ChatActions;
  readonly #scroll = byId('scroll', HTMLDivElement);
  readonly #text = byId('text', HTMLTextAreaElement);
  #shown: ChatState | undefined;
  /** The message that is being edited. */
  #editing: string | undefined;

  constructor(me: Sender, actions: ChatActions) {
    this.#me = me;
    this.#actions = actions;
    byId('composer', HTMLFormElement).addEventListener('submit', event => {
      event.preventDefault();
      this.#post();
    });
    this.#text.addEventListener('keydown', event => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#post();
    });
    this.#text.addEventListener('input', () => this.#text.value.trim() !== '' && this.#actions.typing());
  }

  /** @param isHeard whether what happens in it arrives */
  show(chat: ChatState, isHeard: boolean): void {
    const stay = chat === this.#shown && !this.#isAtEnd;
    if (chat !== this.#shown) this.#editing = undefined;
    this.#shown = chat;
    const { title, members, messages, problem, typists } = chat;
    byId('chat-name', HTMLElement).textContent = title;
    byId('chat-about', HTMLElement).textContent = members.map(({ name }) => name).join(', ');
    const notice = byId('chat-problem', HTMLElement);
    const words = problem ?? (isHeard ? '' : 'Not subscribed: what happens here does not arrive.');
    notice.hidden = words === '';
    if (notice.textContent !== words) notice.textContent = words;
    byId('no-messages', HTMLElement).hidden = messages.length > 0;
    showList(byId('messages', HTMLOListElement), this.#things(messages));
    const typing = byId('typing', HTMLElement);
    const names = typingWords(typists.names);
    if (typing.textContent !== names) typing.textContent = names;
    if (!stay) this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  get #isAtEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    return scrollHeight - scrollTop - clientHeight < END_PX;
  }

  #post(): void {
    const text = this.#text.value.trim();
    if (text === '') return;
    this.#actions.post(text);
    this.#text.value = '';
  }

  #things(messages: readonly Message[]): Keyed[] {
    return messages.map((message, index) => {
      const before = messages[index - 1];
      const isFirst =
        before?.author.id !== message.author.id || Date.parse(message.at) - Date.parse(before.at) > GROUP_MS;
      const isEditing = message.message_id === this.#editing;
      return {
        key: message.message_id,
        shown: JSON.stringify([message.text, message.edited_at, isFirst, isEditing]),
        make: () => this.#item(message, isFirst, isEditing),
      };
    });
  }

  #item(message: Message, isFirst: boolean, isEditing: boolean): HTMLElement {
    const { author, at, text, edited_at, message_id } = message;
    const own = author.id === this.#me.id;
    const time = element('time', { datetime: at, title: new Date(at).toLocaleString() }, clock.format(new Date(at)));
    const edited =
      edited_at !== undefined &&
      element('span', { class: 'muted small', title: new Date(edited_at).toLocaleString() }, ' edited');
    return element(
      'li',
      { class: `message${isFirst ? ' first' : ''}${own ? ' own' : ''}`, 'data-message': message_id },
      isFirst && avatar(author.name, author.id),
      element(
        'div',
        { class: 'said' },
        element('p', { class: isFirst ? 'author' : 'visually-hidden' }, author.name, ' ', isFirst && time),
        isEditing ? this.#editor(message) : element('p', { class: 'text' }, text, edited),
      ),
      own &&
        !isEditing &&
        element(
          'button',
          { type: 'button', class: 'quiet edit', 'data-focus': 'edit', onclick: () => this.#edit(message_id) },
          'Edit',
          element('span', { class: 'visually-hidden' }, ` the message ${text}`),
        ),
    );
  }

  #editor({ message_id, text }: Message): HTMLElement {
    const input = element('input', { value: text, maxlength: '2000', 'aria-label': 'Edited message' });
    input.addEventListener('keydown', event => {
      if (event.key === 'Escape') this.#edit(undefined);
    });
    return element(
      'form',
      {
        class: 'row',
        onsubmit: event => {
          event.preventDefault();
          const edited = input.value.trim();
          if (edited !== '' && edited !== text) this.#actions.edit(message_id, edited);
          this.#edit(undefined);
        },
      },
      element('span', { class: 'grow' }, input),
      element('button', { type: 'submit', class: 'primary' }, 'Save'),
      element('button', { type: 'button', onclick: () => this.#edit(undefined) }, 'Cancel'),
    );
  }

  #edit(messageId: string | undefined): void {
    const before = this.#editing;
    this.#editing = messageId;
    if (this.#shown !== undefined) {
      showList(byId('messages', HTMLOListElement), this.#things(this.#shown.messages));
    }
    const item = byId('messages', HTMLOListElement).querySelector(
      `[data-message="${CSS.escape(messageId ?? before ?? '')}"]`,
    );
    item?.querySelector<HTMLElement>(messageId === undefined ? '.edit' : 'input')?.focus();
  }
}
