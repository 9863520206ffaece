/** Shows a session: one comparison at a time, all of them as dots, who is here and who has voted. */
import { avatar, byId, element } from '../../page/dom.js';
import type { Vote } from './frames.js';
import { type Comparison, nameOf, type SessionState } from './session-state.js';
import type { Sending } from './vote-sender.js';

export interface SessionViewPorts {
  vote(comparisonId: string, vote: Vote): void;
  leave(): void;
}

const TIE: Vote = { preferred_feature_id: null, is_tie_vote: true };

export class SessionView {
  readonly #state: SessionState;
  readonly #ports: SessionViewPorts;
  readonly #choices = ['first', 'second', 'tie'].map(id => byId(id, HTMLButtonElement));
  readonly #sending = new Map<string, Sending>();
  readonly #dots = byId('dots', HTMLUListElement);
  #index = 0;
  /** The subject of the session. */
  title = '';

  constructor(state: SessionState, ports: SessionViewPorts) {
    this.#state = state;
    this.#ports = ports;
    for (const [place, button] of this.#choices.entries()) button.addEventListener('click', () => this.#vote(place));
    byId('previous', HTMLButtonElement).addEventListener('click', () => this.#go(this.#index - 1));
    byId('next', HTMLButtonElement).addEventListener('click', () => this.#go(this.#index + 1));
    byId('leave', HTMLButtonElement).addEventListener('click', () => this.#ports.leave());
    addEventListener('keydown', event => this.#key(event));
  }

  get shownId(): string | undefined {
    return this.#shown?.id;
  }

  setSending(id: string, sending: Sending | undefined): void {
    if (sending === undefined) this.#sending.delete(id);
    else this.#sending.set(id, sending);
    this.show();
  }

  show(): void {
    const comparison = this.#shown;
    if (comparison === undefined || !byId('ended', HTMLElement).hidden) return;
    byId('session', HTMLElement).hidden = false;
    this.#showProgress();
    this.#showComparison(comparison);
    this.#showDots();
    this.#showPeople(comparison);
  }

  end(words: string, mayReturn: boolean): void {
    byId('session', HTMLElement).hidden = true;
    byId('ended', HTMLElement).hidden = false;
    byId('ended-title', HTMLElement).textContent = mayReturn ? 'See you.' : 'This is the end here.';
    byId('ended-text', HTMLElement).textContent = words;
    byId('rejoin', HTMLElement).hidden = !mayReturn;
  }

  resume(): void {
    byId('ended', HTMLElement).hidden = true;
    this.show();
  }

  get #shown(): Comparison | undefined {
    return this.#state.comparisons[this.#index];
  }

  #vote(place: number): void {
    const comparison = this.#shown;
    if (comparison === undefined) return;
    const preferred = comparison.features[place];
    this.#ports.vote(
      comparison.id,
      preferred === undefined ? TIE : { preferred_feature_id: preferred.feature_id, is_tie_vote: false },
    );
  }

  #go(index: number): void {
    const count = this.#state.comparisons.length;
    if (count === 0) return;
    this.#index = (index + count) % count;
    this.show();
  }

  /** Keys move the focus; Enter is then the button's own. */
  #key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || byId('session', HTMLElement).hidden) return;
    const place = ['ArrowLeft', 'ArrowRight', '='].indexOf(event.key);
    if (place >= 0) {
      event.preventDefault();
      this.#choices[place]?.focus();
    } else if (event.key.toLowerCase() === 'n') {
      const next = this.#state.nextOpen(this.#index);
      if (next !== undefined) this.#go(next);
    }
  }

  #showProgress(): void {
    const { progress } = this.#state;
    const completed = progress?.completed_comparisons ?? 0;
    const total = progress?.total_comparisons ?? this.#state.comparisons.length;
    byId('progress', HTMLProgressElement).value = progress?.progress_percentage ?? 0;
    setText(byId('progress-text', HTMLElement), `${completed} of ${total} settled`);
    const result = byId('result', HTMLElement);
    result.hidden = progress?.is_complete !== true;
    if (result.hidden) return;
    const rows = this.#state
      .ranking()
      .map(({ name, points }) =>
        element(
          'li',
          {},
          element('span', { class: 'name' }, name),
          element('span', { class: 'badge accent' }, String(points)),
        ),
      );
    byId('ranking', HTMLElement).replaceChildren(...rows);
  }

  #showComparison(comparison: Comparison): void {
    const { features, own, votes, consensus } = comparison;
    setText(
      byId('position', HTMLElement),
      `${this.title} · pair ${this.#index + 1} of ${this.#state.comparisons.length}`,
    );
    for (const [place, button] of this.#choices.entries()) {
      const feature = features[place];
      const isChosenIn = (vote: Vote): boolean => vote.preferred_feature_id === (feature?.feature_id ?? null);
      if (feature !== undefined) {
        setText(part(button, '.choice-name'), feature.name);
        setText(part(button, '.choice-text'), feature.description);
      }
      button.setAttribute('aria-pressed', String(own !== null && isChosenIn(own)));
      button.classList.toggle('won', consensus !== null && isChosenIn(consensus));
      const voters = (votes ?? []).filter(isChosenIn).map(({ attendee_id }) => attendee_id);
      part(button, '.voters').replaceChildren(
        ...voters.map(id => avatar(this.#state.people.get(id)?.name ?? '?', id)),
        element('span', { class: 'visually-hidden' }, voters.map(id => this.#state.people.get(id)?.name).join(', ')),
      );
    }
    const [kind, words] = this.#verdict(comparison);
    const verdict = byId('verdict', HTMLElement);
    verdict.className = `verdict ${kind}`;
    setText(verdict, words);
  }

  #verdict(comparison: Comparison): [kind: string, words: string] {
    const { id, own, votes, consensus, features } = comparison;
    const sending = this.#sending.get(id);
    if (sending === 'slowed') return ['warn', 'You are quick! Your vote goes out in a second.'];
    if (sending === 'sending') return ['', 'Sending your vote …'];
    if (consensus !== null) {
      return [
        'good',
        consensus.is_tie_vote ? 'Settled: you all call it a tie.' : `Settled: ${nameOf(consensus, features)}.`,
      ];
    }
    if (own === null) return ['', 'Pick one, or call it a tie. Nobody sees your vote before all have voted.'];
    if (this.#state.presentCount < 2) return ['', 'You have voted. It takes two to agree: send somebody their link.'];
    if (votes !== null) return ['warn', 'You do not agree yet. Talk about it; everybody may change their vote.'];
    return ['', `You have voted. Waiting for ${listOf(this.#state.waitingFor(comparison))}.`];
  }

  #showDots(): void {
    const { comparisons } = this.#state;
    while (this.#dots.childElementCount < comparisons.length) {
      const index = this.#dots.childElementCount;
      const dot = element('button', { type: 'button', onclick: () => this.#go(index) }, String(index + 1));
      this.#dots.append(element('li', {}, dot));
    }
    for (const [index, button] of this.#dots.querySelectorAll('button').entries()) {
      const each = comparisons[index];
      if (each === undefined) continue;
      const [kind, words] = dotOf(each);
      button.className = `dot ${kind}`;
      button.setAttribute('aria-label', `Pair ${index + 1}: ${words}`);
      button.title = `${each.features.map(({ name }) => name).join(' or ')}: ${words}`;
      if (index === this.#index) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
    }
  }

  #showPeople({ voted }: Comparison): void {
    const { people, me } = this.#state;
    const rows = [...people].map(([id, { name, present }]) => {
      const [kind, words] = !present ? ['', 'away'] : voted.includes(id) ? ['good', 'voted'] : ['', 'thinking'];
      return element(
        'li',
        { class: present ? '' : 'away', 'data-attendee': name },
        avatar(name, id),
        element('span', { class: 'name' }, name, id === me && element('span', { class: 'muted' }, ' (you)')),
        element('span', { class: `badge ${kind}` }, words),
      );
    });
    byId('people', HTMLElement).replaceChildren(...rows);
  }
}

function dotOf({ consensus, votes, own }: Comparison): [kind: string, words: string] {
  if (consensus !== null) return ['settled', 'settled'];
  if (votes !== null && votes.length > 1) return ['split', 'no agreement'];
  return own === null ? ['', 'not voted'] : ['voted', 'you have voted'];
}

/** Only when it changes, so that screen readers hear news and no repetitions. */
function setText(place: HTMLElement, text: string): void {
  if (place.textContent !== text) place.textContent = text;
}

function part(button: HTMLElement, selector: string): HTMLElement {
  const found = button.querySelector<HTMLElement>(selector);
  return found ?? button.appendChild(element('span', { class: selector.slice(1) }));
}

function listOf(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? 'the others') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
