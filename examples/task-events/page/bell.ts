/** Notifications: a bell in the bar with the number of unread ones, a list below it, and a toast for each new one. */
import type { Payload } from '@hubbub/client';
import { element } from '../../page/dom.js';
import { toast } from '../../page/toasts.js';
import type { Notification } from './service-calls.js';

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

export class Bell {
  readonly element: HTMLElement;
  readonly #button: HTMLButtonElement;
  readonly #list = element('ul', { class: 'notifications', id: 'notifications', hidden: true });
  #notifications: readonly Notification[] = [];
  #isOpen = false;
  #opened: () => void = () => {};
  #chatWanted: (chatId: string) => void = () => {};

  constructor() {
    this.#button = element('button', {
      type: 'button',
      class: 'quiet icon bell',
      'aria-expanded': 'false',
      'aria-controls': 'notifications',
      onclick: () => this.#toggle(!this.#isOpen),
    });
    this.element = element('div', { class: 'bell-place' }, this.#button, this.#list);
    this.element.addEventListener('keydown', event => {
      if (event.key !== 'Escape' || !this.#isOpen) return;
      this.#toggle(false);
      this.#button.focus();
    });
    addEventListener('click', ({ target }) => {
      if (target instanceof Node && !this.element.contains(target)) this.#toggle(false);
    });
    this.#show();
  }

  onOpen(opened: () => void): void {
    this.#opened = opened;
  }

  onChat(wanted: (chatId: string) => void): void {
    this.#chatWanted = wanted;
  }

  replace(notifications: readonly Notification[]): void {
    this.#notifications = notifications;
    this.#show();
  }

  add(payload: Payload | undefined): void {
    if (!isNotification(payload)) return;
    const isKnown = this.#notifications.some(({ notification_id }) => notification_id === payload.notification_id);
    if (isKnown) return;
    this.#notifications = [payload, ...this.#notifications];
    toast(payload.text);
    this.#show();
  }

  allRead(): void {
    this.#notifications = this.#notifications.map(notification => ({ ...notification, read: true }));
    this.#show();
  }

  #toggle(open: boolean): void {
    if (this.#isOpen === open) return;
    this.#isOpen = open;
    this.#list.hidden = !open;
    this.#button.setAttribute('aria-expanded', String(open));
    if (open) this.#opened();
  }

  #show(): void {
    const unread = this.#notifications.filter(({ read }) => read !== true).length;
    this.#button.replaceChildren(
      picture(),
      unread > 0 ? element('span', { class: 'unread', id: 'bell-count' }, String(unread)) : '',
    );
    this.#button.setAttribute('aria-label', `Notifications, ${unread} unread`);
    this.#list.replaceChildren(...this.#notifications.map(notification => this.#item(notification)));
    if (this.#notifications.length === 0) this.#list.append(element('li', { class: 'empty' }, 'Nothing so far.'));
  }

  #item({ text, at, read, chat_id }: Notification): HTMLElement {
    const go = (): void => {
      this.#toggle(false);
      if (chat_id !== undefined) this.#chatWanted(chat_id);
    };
    return element(
      'li',
      { class: read === true ? '' : 'new' },
      element(
        'span',
        { class: 'name' },
        text,
        ' ',
        element('time', { class: 'muted small', datetime: at }, clock.format(new Date(at))),
      ),
      chat_id !== undefined && element('button', { type: 'button', class: 'quiet', onclick: go }, 'Show'),
    );
  }
}

/** Drawn, because not every system has a character for it. */
function picture(): SVGSVGElement {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  const path = document.createElementNS(namespace, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', 'M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21.5h4');
  svg.append(path);
  return svg;
}

function isNotification(payload: Payload | undefined): payload is Payload & Notification {
  return ['notification_id', 'text', 'at'].every(name => typeof payload?.[name] === 'string');
}
