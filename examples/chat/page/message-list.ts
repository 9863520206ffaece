/** The messages of a room on the page: grouped by author, divided by days, with what is new and what is missing marked. */
import { byId, element } from '../../page/dom.js';
import { type Keyed, showList } from '../../page/keyed-list.js';
import type { Conversation } from './conversation.js';
import { keyOf, type Message } from './message.js';
import { type MessageActions, type MessageLook, messageItem, shownOf } from './message-item.js';

/** Messages of one author this close together are one group. */
const GROUP_MS = 5 * 60_000;
/** This close to the lower end counts as there. */
const END_PX = 60;
const FLASH_MS = 1600;

const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

export class MessageList {
  readonly #scroll = byId('scroll', HTMLDivElement);
  readonly #list = byId('messages', HTMLOListElement);
  readonly #toEnd = byId('to-end', HTMLButtonElement);
  readonly #actions: MessageActions;
  #shown: Conversation | undefined;
  /** The place of `New`: it stays while the room is selected. */
  #newFrom: string | undefined;
  #last: string | undefined;

  constructor(actions: Pick<MessageActions, 'reply'>) {
    const { reply } = actions;
    this.#actions = {
      reply,
      jump: message => void this.#jump(message),
      retry: message => void this.#shown?.deliver(message),
      discard: message => this.#shown?.discard(message),
    };
    this.#toEnd.addEventListener('click', () => this.toEnd());
    this.#scroll.addEventListener('scroll', () => {
      if (this.atEnd) this.#toEnd.hidden = true;
    });
    byId('earlier', HTMLButtonElement).addEventListener('click', () => void this.#earlier());
    this.#list.addEventListener('keydown', event => this.#key(event));
  }

  get atEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    return scrollHeight - scrollTop - clientHeight < END_PX;
  }

  toEnd(): void {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#toEnd.hidden = true;
  }

  show(conversation: Conversation): void {
    const isOther = conversation !== this.#shown;
    const stay = !isOther && !this.atEnd;
    const { messages, holes, hasEarlier, loading, problem } = conversation;
    const unread = conversation.firstUnread;
    this.#shown = conversation;
    if (isOther || document.hidden) this.#newFrom = unread === undefined ? undefined : keyOf(unread);
    showList(this.#list, this.#things(messages.list, holes));
    byId('earlier', HTMLButtonElement).hidden = !hasEarlier;
    byId('no-messages', HTMLElement).hidden = messages.list.length > 0 || loading;
    const notice = byId('load-problem', HTMLElement);
    notice.hidden = problem === undefined;
    if (problem !== undefined) {
      const again = element('button', { type: 'button', onclick: () => void conversation.load() }, 'Try again');
      notice.replaceChildren(`Messages could not be loaded: ${problem} `, again);
    }
    const last = messages.list.at(-1);
    const isNews = last !== undefined && keyOf(last) !== this.#last;
    this.#last = last && keyOf(last);
    if (!stay || (isNews && last?.own === true)) this.toEnd();
    else if (isNews) this.#toEnd.hidden = false;
  }

  /** The newest message gets the focus: from there ↑ goes back. */
  focusLast(): void {
    this.#focus(this.#items().at(-1));
  }

  #things(messages: readonly Message[], holes: ReadonlySet<number>): Keyed[] {
    const things: Keyed[] = [];
    let before: Message | undefined;
    for (const message of messages) {
      const key = keyOf(message);
      const date = day.format(message.at);
      const isNewDay = before === undefined || day.format(before.at) !== date;
      const isHole = message.offset !== undefined && holes.has(message.offset);
      if (isNewDay) things.push(divider(`day ${key}`, 'day', date));
      if (isHole)
        things.push(divider(`hole ${key}`, 'hole', 'Messages are missing here: they are older than what is kept'));
      if (key === this.#newFrom) things.push(divider('new', 'new', 'New'));
      const first =
        isNewDay || isHole || before?.author.id !== message.author.id || +message.at - +before.at > GROUP_MS;
      const answered = message.replyTo === undefined ? undefined : this.#shown?.messages.withId(message.replyTo);
      const look: MessageLook = { message, first, answered };
      things.push({ key, shown: shownOf(look), make: () => messageItem(look, this.#actions) });
      before = message;
    }
    return things;
  }

  async #jump({ replyTo }: Message): Promise<void> {
    const found = replyTo === undefined ? undefined : await this.#shown?.find(replyTo);
    const item = this.#items().find(({ dataset }) => found !== undefined && dataset.key === keyOf(found));
    if (item === undefined) return;
    this.#focus(item);
    item.classList.add('flash');
    setTimeout(() => item.classList.remove('flash'), FLASH_MS);
  }

  /** The visible messages stay in place. */
  async #earlier(): Promise<void> {
    const fromEnd = this.#scroll.scrollHeight - this.#scroll.scrollTop;
    await this.#shown?.loadEarlier();
    this.#scroll.scrollTop = this.#scroll.scrollHeight - fromEnd;
  }

  #key(event: KeyboardEvent): void {
    const items = this.#items();
    const item = items.find(each => each === document.activeElement);
    if (item === undefined) return;
    const at = items.indexOf(item);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === 'r' && !event.ctrlKey && !event.metaKey) {
      const message = this.#shown?.messages.list.find(each => keyOf(each) === item.dataset.key);
      if (message?.delivery === 'sent') this.#actions.reply(message);
    } else if (event.key === 'Escape' || to === items.length) byId('text', HTMLTextAreaElement).focus();
    else if (to !== undefined) this.#focus(items[Math.max(0, to)]);
    else return;
    event.preventDefault();
  }

  #focus(item: HTMLElement | undefined): void {
    item?.focus({ preventScroll: true });
    item?.scrollIntoView({ block: 'nearest' });
  }

  #items(): HTMLElement[] {
    return [...this.#list.querySelectorAll<HTMLElement>('.message')];
  }
}

function divider(key: string, kind: string, words: string): Keyed {
  return { key, shown: words, make: () => element('li', { class: `divider ${kind}` }, element('span', {}, words)) };
}
