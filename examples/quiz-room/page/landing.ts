/** The door: join by a code, host a quiz, or go back to the seat that this browser remembers. */
import { element } from '../../page/dom.js';
import { wordsOf } from '../../page/error-words.js';
import { ask } from '../../page/hub.js';
import { type Admission, lastSeat, newPass, post, type Seat } from './seat.js';

const NAME_MAX = 24;

interface SetSummary {
  readonly id: string;
  readonly title: string;
  readonly questions: number;
}

/** @param code from a link that somebody shared */
export function landing(code: string, enter: (seat: Seat) => void): HTMLElement {
  const remembered = lastSeat();
  const isInvited = code !== '';
  const back =
    remembered !== undefined &&
    (!isInvited || remembered.code === code) &&
    element(
      'div',
      { class: 'card row spread return' },
      element(
        'span',
        {},
        'You were in room ',
        element('strong', { class: 'code' }, remembered.code),
        ` as ${remembered.name}.`,
      ),
      element(
        'button',
        { type: 'button', class: 'primary', onclick: () => enter(remembered) },
        `Return as ${remembered.name}`,
      ),
    );
  return element(
    'div',
    { class: 'door stack' },
    element(
      'div',
      { class: 'welcome' },
      element('p', { class: 'shapes', 'aria-hidden': 'true' }, ...shapes()),
      element('h2', {}, isInvited ? 'You are invited to a quiz' : 'Quiz night'),
      element(
        'p',
        { class: 'muted' },
        'One hosts, everybody plays on their own screen. You keep your seat if the connection breaks.',
      ),
    ),
    back,
    element('div', { class: 'doors' }, joinForm(code, enter), hostForm(enter)),
  );
}

function joinForm(code: string, enter: (seat: Seat) => void): HTMLElement {
  const codeInput = element('input', {
    name: 'code',
    required: true,
    autocomplete: 'off',
    autocapitalize: 'characters',
    spellcheck: 'false',
    maxlength: '12',
    class: 'code-input',
    placeholder: 'CODE',
    value: code,
  });
  const name = nameInput('name');
  return form(
    'Join',
    'Join the quiz',
    [field('Room code', codeInput), field('Your name', name)],
    async pass => {
      const wanted = codeInput.value.toUpperCase().replace(/[\s-]/g, '');
      const body = { name: name.value, pass };
      const admission = await post<Admission>(`/api/rooms/${encodeURIComponent(wanted)}/join`, body);
      return taken(admission, pass);
    },
    enter,
    true,
  );
}

function hostForm(enter: (seat: Seat) => void): HTMLElement {
  const name = nameInput('host-name');
  const sets = element('select', { name: 'set' }, element('option', { value: 'mixed' }, 'A bit of everything'));
  ask<SetSummary[]>('GET', '/api/sets')
    .then(known =>
      sets.replaceChildren(
        ...known.map(({ id, title, questions }) =>
          element('option', { value: id }, `${title} (${questions} questions)`),
        ),
      ),
    )
    .catch(() => {}); // The first set is there; the service is asked again when the room is opened.
  return form(
    'Host',
    'Open a room',
    [field('Your name', name), field('Questions', sets)],
    async pass => {
      const admission = await post<Admission>('/api/rooms', { name: name.value, pass, set: sets.value });
      return taken(admission, pass);
    },
    enter,
    false,
  );
}

function form(
  title: string,
  action: string,
  fields: HTMLElement[],
  take: (pass: string) => Promise<Seat>,
  enter: (seat: Seat) => void,
  isPrimary: boolean,
): HTMLElement {
  const problem = element('p', { class: 'problem', role: 'alert' });
  const button = element('button', { type: 'submit', class: isPrimary ? 'primary' : '' }, action);
  // One for all tries: a request whose answer was lost has taken the seat already.
  const pass = newPass();
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    problem.textContent = '';
    button.disabled = true;
    try {
      enter(await take(pass));
    } catch (error) {
      problem.textContent = wordsOf(error);
    } finally {
      button.disabled = false;
    }
  };
  return element(
    'form',
    { class: 'card stack', 'aria-label': title, onsubmit: event => void submit(event) },
    element('h3', {}, title),
    ...fields,
    problem,
    button,
  );
}

function taken({ code, user }: Admission, pass: string): Seat {
  return { code, name: user.name, pass };
}

function nameInput(name: string): HTMLInputElement {
  return element('input', {
    name,
    required: true,
    autocomplete: 'nickname',
    placeholder: `At most ${NAME_MAX} characters`,
  });
}

function field(words: string, control: HTMLElement): HTMLElement {
  return element('label', { class: 'field' }, words, control);
}

export function shapes(): HTMLElement[] {
  return ['▲', '◆', '●', '■'].map((shape, index) => element('span', { class: `shape a${index}` }, shape));
}
