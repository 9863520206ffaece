/** Lets a person be one of the other programs: domain events by hand, and how a shell publishes them. */
import { byId, element } from '../../page/dom.js';
import { wordsOf } from '../../page/error-words.js';
import { newId, type ServiceCalls } from './service-calls.js';

export class BusPanel {
  readonly #service: ServiceCalls;
  readonly #template = byId('template', HTMLSelectElement);
  readonly #event = byId('event', HTMLTextAreaElement);
  #commands: readonly string[] = [];
  #chatId = 'launch';

  constructor(service: ServiceCalls) {
    this.#service = service;
    this.#template.append(...Object.keys(this.#templates()).map(name => element('option', { value: name }, name)));
    this.#template.addEventListener('change', () => this.#fill());
    this.#event.addEventListener('input', () => this.#showCommands());
    byId('bus-form', HTMLFormElement).addEventListener('submit', event => {
      event.preventDefault();
      void this.#publish();
    });
    this.#fill();
  }

  /** The shell command before the event. */
  offer(commands: readonly string[]): void {
    this.#commands = commands;
    this.#showCommands();
  }

  use(chatId: string | undefined): void {
    if (chatId === undefined || chatId === this.#chatId) return;
    this.#chatId = chatId;
    this.#fill();
  }

  #templates(): Record<string, object> {
    const chat_id = this.#chatId;
    const user_id = this.#service.user.id;
    return {
      MessagePosted: { chat_id, message_id: newId('m'), user_id, text: 'Written by another program' },
      MessageEdited: { chat_id, message_id: 'the id of a message', text: 'Edited by another program' },
      StatusChanged: { chat_id, task_id: 'T-1', status: 'review' },
      NotificationCreated: {
        user_id,
        notification_id: newId('n'),
        text: 'The announcement waits for your review',
        chat_id,
      },
    };
  }

  #fill(): void {
    const event = this.#template.value;
    this.#event.value = JSON.stringify({ event, ...this.#templates()[event] }, null, 2);
    this.#showCommands();
  }

  async #publish(): Promise<void> {
    const problem = byId('bus-problem', HTMLElement);
    problem.textContent = '';
    try {
      await this.#service.publish(JSON.parse(this.#event.value));
      this.#fill(); // With ids that were not used.
    } catch (error) {
      problem.textContent = wordsOf(error);
    }
  }

  #showCommands(): void {
    const event = this.#event.value.replace(/\s*\n\s*/g, ' ').replaceAll("'", "'\\''");
    byId('commands', HTMLElement).replaceChildren(
      ...this.#commands.map(command => element('pre', { class: 'code', tabindex: '0' }, `${command} '${event}'`)),
    );
  }
}
