/** One message: who, when, what, and how far an own one has come. */
import { element, find } from '../dom/element.js';
import type { ItemView } from '../dom/keyed-list.js';
import type { Delivery, Entry, Message } from '../state/entries.js';
import { errorWords } from '../words.js';
import { avatar } from './avatar.js';

const DELIVERY_WORDS: Readonly<Record<Delivery, string>> = {
  pending: 'Sending…',
  acked: 'Sent',
  failed: 'Not sent.',
  received: '',
};

export function messageView(message: Message, retry: () => void): ItemView<Entry> {
  const foot = element('footer', { class: 'message-foot' });
  const time = element(
    'time',
    { datetime: message.at.toISOString(), title: message.at.toLocaleString() },
    message.at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }),
  );
  const root = element(
    'article',
    {
      class: `message${message.own ? ' own' : ''}${message.continues ? ' continues' : ''}`,
      'data-testid': 'message',
      'data-id': message.id,
    },
    message.own ? undefined : avatar(message.sender),
    element(
      'div',
      { class: 'message-body' },
      element(
        'header',
        { class: 'message-head' },
        element(
          'span',
          { class: 'sender', 'data-testid': 'message-sender' },
          message.own ? 'You' : message.sender.name,
        ),
        time,
      ),
      element('p', { class: 'message-text', 'data-testid': 'message-text' }, message.text),
      foot,
    ),
  );
  let shown: Delivery | undefined;
  return {
    root,
    update() {
      if (shown === message.delivery) return;
      shown = message.delivery;
      root.dataset.delivery = shown;
      foot.replaceChildren(...deliveryParts(message, retry));
    },
  };
}

function deliveryParts({ delivery, error }: Message, retry: () => void): HTMLElement[] {
  const words = element('span', { 'data-testid': 'message-delivery', title: error?.message }, DELIVERY_WORDS[delivery]);
  if (error === undefined) return [words];
  words.append(` ${errorWords(error)}`);
  const again = element('button', { type: 'button', class: 'quiet small', 'data-testid': 'retry' }, 'Try again');
  again.addEventListener('click', () => {
    find('message', HTMLTextAreaElement).focus(); // The button goes away under the focus.
    retry();
  });
  return [words, element('code', { 'data-testid': 'message-error-code' }, error.code), again];
}
