/** Where a message is written: Enter sends, Shift+Enter makes a line, what it answers stands above. */
import { byId } from '../../page/dom.js';
import type { Conversation } from './conversation.js';
import type { Message } from './message.js';
import { shortened } from './message-item.js';
import { TypingSignal } from './typing-signal.js';

/** Below the 4,096 bytes of a frame, with room for its other fields. JSON writes some characters longer than they are. */
const CONTENT_MAX_BYTES = 3600;
/** From here on the page shows how much is left. */
const WARN_BYTES = 3000;
const HEIGHT_MAX_PX = 200;

export class Composer {
  readonly #text = byId('text', HTMLTextAreaElement);
  readonly #howLong = byId('how-long', HTMLElement);
  readonly #send = byId('send', HTMLButtonElement);
  readonly #typing = new TypingSignal();
  readonly #drafts = new Map<Conversation, { readonly text: string; readonly answers: Message | undefined }>();
  #conversation: Conversation | undefined;
  #answers: Message | undefined;

  constructor(goBack: () => void) {
    byId('composer', HTMLFormElement).addEventListener('submit', event => {
      event.preventDefault();
      this.#submit();
    });
    byId('no-reply', HTMLButtonElement).addEventListener('click', () => this.reply(undefined));
    this.#text.addEventListener('input', () => {
      this.#measure();
      if (this.#conversation === undefined) return;
      if (this.#text.value.trim() === '') this.#typing.stop();
      else this.#typing.typed(this.#conversation.room);
    });
    this.#text.addEventListener('keydown', event => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) this.#submit();
      else if (event.key === 'Escape' && this.#answers !== undefined) this.reply(undefined);
      else if (event.key === 'ArrowUp' && this.#text.value === '') goBack();
      else return;
      event.preventDefault();
    });
  }

  /** Another room: what was begun there is there again. */
  use(conversation: Conversation, roomName: string): void {
    this.#text.placeholder = `Message to ${roomName}`;
    if (conversation === this.#conversation) return;
    this.#typing.stop();
    if (this.#conversation !== undefined) {
      this.#drafts.set(this.#conversation, { text: this.#text.value, answers: this.#answers });
    }
    this.#conversation = conversation;
    const draft = this.#drafts.get(conversation);
    this.#text.value = draft?.text ?? '';
    this.#answer(draft?.answers);
    this.#measure();
  }

  reply(to: Message | undefined): void {
    this.#answer(to);
    this.#text.focus();
  }

  focus(): void {
    this.#text.focus();
  }

  #answer(message: Message | undefined): void {
    this.#answers = message;
    byId('replying', HTMLElement).hidden = message === undefined;
    const who = message?.own === true ? 'yourself' : message?.author.name;
    byId('replying-to', HTMLElement).textContent =
      message === undefined ? '' : `Reply to ${who}: ${shortened(message.content)}`;
  }

  #submit(): void {
    const content = this.#text.value.trim();
    if (content === '' || this.#send.disabled) return;
    this.#typing.stop();
    this.#conversation?.send(content, this.#answers?.id);
    this.#text.value = '';
    this.#answer(undefined);
    this.#measure();
  }

  #measure(): void {
    const bytes = new TextEncoder().encode(JSON.stringify(this.#text.value.trim())).length - 2;
    const over = bytes - CONTENT_MAX_BYTES;
    this.#howLong.textContent =
      over > 0 ? `${over} bytes too long: send it in two parts.` : bytes > WARN_BYTES ? `${-over} bytes left` : '';
    this.#howLong.classList.toggle('problem', over > 0);
    this.#send.disabled = over > 0;
    this.#text.style.height = 'auto';
    this.#text.style.height = `${Math.min(this.#text.scrollHeight + 2, HEIGHT_MAX_PX)}px`;
  }
}
