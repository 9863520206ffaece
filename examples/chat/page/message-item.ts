/** One message as an element: author, time, the answered message, text, delivery state. */
import { avatar, element } from '../../page/dom.js';
import { keyOf, type Message } from './message.js';

export interface MessageActions {
  reply(message: Message): void;
  /** Goes to the message that this one answers. */
  jump(message: Message): void;
  retry(message: Message): void;
  discard(message: Message): void;
}

export interface MessageLook {
  readonly message: Message;
  /** The first of several in a row of one author: it shows author and time. */
  readonly first: boolean;
  /** The answered message, if it is loaded. */
  readonly answered: Message | undefined;
}

const QUOTE_MAX = 120;
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

export function messageItem({ message, first, answered }: MessageLook, actions: MessageActions): HTMLElement {
  const { author, content, own, at, delivery } = message;
  const classes = ['message', own && 'own', first && 'first', delivery].filter(Boolean).join(' ');
  const time = element('time', { datetime: at.toISOString(), title: at.toLocaleString() }, clock.format(at));
  return element(
    'li',
    { class: classes, tabindex: '-1', 'data-key': keyOf(message), 'data-id': message.id },
    first && !own && avatar(author.name, author.id),
    element(
      'div',
      { class: 'bubble' },
      element('p', { class: first ? 'author' : 'visually-hidden' }, own ? 'You' : author.name, ' ', first && time),
      message.replyTo !== undefined && quote(message, answered, actions),
      element('p', { class: 'text' }, content),
      delivery === 'sending' && element('p', { class: 'state' }, 'Sending …'),
      delivery === 'failed' && failure(message, actions),
    ),
    delivery === 'sent' &&
      element(
        'button',
        {
          class: 'quiet icon reply',
          type: 'button',
          tabindex: '-1',
          title: 'Reply (R)',
          onclick: () => actions.reply(message),
        },
        element('span', { 'aria-hidden': 'true' }, '↩'),
        element('span', { class: 'visually-hidden' }, `Reply to ${own ? 'yourself' : author.name}`),
      ),
  );
}

/** All that `messageItem` shows. */
export function shownOf({ message, first, answered }: MessageLook): string {
  return JSON.stringify([
    message.delivery,
    message.problem,
    message.at,
    first,
    answered?.author.name,
    answered?.content,
  ]);
}

export function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > QUOTE_MAX ? `${line.slice(0, QUOTE_MAX)} …` : line;
}

function quote(message: Message, answered: Message | undefined, actions: MessageActions): HTMLElement {
  return element(
    'button',
    { class: 'quote', type: 'button', 'data-focus': 'quote', onclick: () => actions.jump(message) },
    element('strong', {}, answered?.author.name ?? 'An earlier message'),
    element('span', {}, answered === undefined ? 'Show it' : shortened(answered.content)),
  );
}

function failure(message: Message, actions: MessageActions): HTMLElement {
  return element(
    'div',
    { class: 'state problem', role: 'alert' },
    `Not sent. ${message.problem ?? ''}`,
    element(
      'span',
      { class: 'row' },
      element('button', { type: 'button', 'data-focus': 'retry', onclick: () => actions.retry(message) }, 'Try again'),
      element('button', { type: 'button', class: 'quiet', onclick: () => actions.discard(message) }, 'Delete'),
    ),
  );
}
