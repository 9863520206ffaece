/** The tasks of a chat, each with a chip that shows and changes its state. */
import { byId, element } from '../../page/dom.js';
import { showList } from '../../page/keyed-list.js';
import type { Task } from './service-calls.js';

export interface TaskActions {
  change(taskId: string, status: string): void;
  add(title: string): void;
}

const STATUSES: Readonly<Record<string, string>> = {
  open: 'Open',
  doing: 'In progress',
  review: 'In review',
  done: 'Done',
};

export class TaskView {
  readonly #actions: TaskActions;

  constructor(actions: TaskActions) {
    this.#actions = actions;
    byId('new-task', HTMLFormElement).addEventListener('submit', event => {
      event.preventDefault();
      const title = byId('task-title', HTMLInputElement);
      actions.add(title.value.trim());
      title.value = '';
    });
  }

  show(tasks: readonly Task[]): void {
    byId('no-tasks', HTMLElement).hidden = tasks.length > 0;
    showList(
      byId('tasks', HTMLUListElement),
      tasks.map(task => ({ key: task.task_id, shown: JSON.stringify(task), make: () => this.#item(task) })),
    );
  }

  #item({ task_id, title, status }: Task): HTMLElement {
    const choice = element(
      'select',
      { class: `chip ${status}`, 'data-focus': 'status', 'aria-label': `Status of ${title}` },
      ...Object.entries(STATUSES).map(([value, words]) =>
        element('option', { value, selected: value === status }, words),
      ),
    );
    choice.addEventListener('change', () => this.#actions.change(task_id, choice.value));
    return element('li', { 'data-task': task_id }, element('span', { class: 'name' }, title), choice);
  }
}
