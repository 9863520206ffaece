/** The page that makes a project with a session and gives each attendee a link. */
import { avatar, byId, element } from '../../page/dom.js';
import { wordsOf } from '../../page/error-words.js';
import { ask } from '../../page/hub.js';
import { themeButton } from '../../page/theme.js';

const FEATURES = ['Works offline', 'Shared calendars', 'Dark mode', ''];
const NAMES = ['Ada Lovelace', 'Grace Hopper', ''];

interface Made {
  readonly title: string;
  readonly project: string;
  readonly session: string;
  readonly key: string;
  readonly people: readonly { readonly id: string; readonly name: string; readonly key: string }[];
}

export function openStart(): void {
  document.body.prepend(element('header', { class: 'bar' }, element('h1', {}, 'Pairwise session'), themeButton()));
  byId('start', HTMLElement).hidden = false;
  const features = textList('features', 'Something to compare', FEATURES, 6, 60);
  const names = textList('names', 'Name', NAMES, 8, 40);
  const form = byId('make', HTMLFormElement);
  let made: Made | undefined;

  form.addEventListener('submit', event => {
    event.preventDefault();
    void attempt('make-problem', form.querySelector('button'), async () => {
      made = await make(byId('title', HTMLInputElement).value, features(), names());
      showMade(made);
    });
  });
  byId('close-session', HTMLButtonElement).addEventListener('click', ({ currentTarget }) => {
    void attempt('made-problem', currentTarget, async () => {
      if (made === undefined) return;
      await manage(made.key, `/api/projects/${made.project}/sessions/${made.session}/close`);
      byId('made-title', HTMLElement).textContent = `${made.title}: closed`;
      byId('close-session', HTMLElement).hidden = true;
      byId('links', HTMLElement).replaceChildren();
      byId('made-text', HTMLElement).textContent = 'Everybody was disconnected. The links no longer open it.';
    });
  });
  byId('another', HTMLButtonElement).addEventListener('click', () => location.reload());
}

async function make(title: string, features: readonly string[], names: readonly string[]): Promise<Made> {
  if (features.length < 2) throw new Error('Name at least two things to compare.');
  if (names.length < 2) throw new Error('Name at least two people: one alone agrees with nobody.');
  const { project_id: project, key } = await ask<{ project_id: string; key: string }>('POST', '/api/projects', {
    name: title,
  });
  const session = await manage<{ session_id: string }>(key, `/api/projects/${project}/sessions`, {
    name: title,
    features: features.map(name => ({ name })),
  });
  const people = [];
  for (const name of names) {
    const added = await manage<{ attendee_id: string; key: string }>(key, `/api/projects/${project}/attendees`, {
      name,
    });
    people.push({ id: added.attendee_id, name, key: added.key });
  }
  return { title, project, session: session.session_id, key, people };
}

function showMade({ title, project, session, people }: Made): void {
  byId('make', HTMLElement).hidden = true;
  byId('made', HTMLElement).hidden = false;
  byId('made-title', HTMLElement).textContent = title;
  byId('links', HTMLElement).replaceChildren(
    ...people.map(({ id, name, key }) => {
      const query = new URLSearchParams({ project, session, attendee: id });
      const address = `${location.origin}/?${query}#${key}`;
      const copy = element(
        'button',
        { type: 'button', class: 'quiet', 'aria-label': `Copy the link of ${name}` },
        'Copy',
      );
      copy.addEventListener('click', () => {
        navigator.clipboard.writeText(address).then(
          () => (copy.textContent = 'Copied'),
          () => prompt(`The link of ${name}`, address), // The browser does not let a page write there.
        );
      });
      const open = element('a', { class: 'button', href: address, target: '_blank', 'data-attendee': name }, 'Open');
      open.setAttribute('aria-label', `Open as ${name}`);
      return element('li', {}, avatar(name, id), element('span', { class: 'name' }, name), copy, open);
    }),
  );
  byId('made', HTMLElement).scrollIntoView({ block: 'nearest' });
}

/** Inputs with one empty one at the end, up to a number. @returns their texts */
function textList(id: string, label: string, values: readonly string[], max: number, length: number): () => string[] {
  const list = byId(id, HTMLUListElement);
  const inputs = (): HTMLInputElement[] => [...list.querySelectorAll('input')];
  const add = (value: string): void => {
    const name = `${label} ${list.childElementCount + 1}`;
    list.append(
      element('li', {}, element('input', { 'aria-label': name, placeholder: label, maxlength: String(length), value })),
    );
  };
  for (const value of values) add(value);
  list.addEventListener('input', () => {
    if (inputs().every(({ value }) => value.trim() !== '') && inputs().length < max) add('');
  });
  return () => inputs().flatMap(({ value }) => value.trim() || []);
}

/** Asks what only the project's key may. */
async function manage<Answer>(key: string, path: string, body: object = {}): Promise<Answer> {
  return await ask<Answer>('POST', path, body, { authorization: `Bearer ${key}` });
}

async function attempt(problemId: string, button: EventTarget | null, work: () => Promise<void>): Promise<void> {
  const problem = byId(problemId, HTMLElement);
  problem.textContent = '';
  if (button instanceof HTMLButtonElement) button.disabled = true;
  try {
    await work();
  } catch (error) {
    problem.textContent = wordsOf(error);
  } finally {
    if (button instanceof HTMLButtonElement) button.disabled = false;
  }
}
