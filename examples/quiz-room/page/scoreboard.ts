/** The places: each row goes from where it was before the question to where it is now. */
import { avatar, element } from '../../page/dom.js';
import { type MemberState, playersOf, type QuizState } from './quiz-state.js';

const MOVE_MS = 700;
const MOVE_DELAY_MS = 250;

export interface Place {
  readonly member: MemberState;
  /** 1 is the best; those with the same score share it. */
  readonly place: number;
}

/** Players, the best first. */
export function placesOf(state: QuizState, score = scoreNow): readonly Place[] {
  const sorted = [...playersOf(state)].sort(
    (one, other) => score(other) - score(one) || one.name.localeCompare(other.name),
  );
  return sorted.map(member => ({ member, place: 1 + sorted.filter(each => score(each) > score(member)).length }));
}

const scoreNow = ({ score = 0 }: MemberState): number => score;
const scoreBefore = ({ score = 0, gained = 0 }: MemberState): number => score - gained;

export function scoreboard(meId: string): { readonly element: HTMLElement; update(state: QuizState): void } {
  const list = element('ol', { class: 'scores', 'aria-label': 'Scores' });
  let hasMoved = false;
  return {
    element: element('section', { class: 'card stack' }, element('h3', {}, 'Scores'), list),
    update(state) {
      const before = placesOf(state, scoreBefore);
      const now = placesOf(state);
      const rows = new Map(now.map(place => [place.member.id, row(place, before, meId, state.question !== undefined)]));
      const inOrder = (places: readonly Place[]) =>
        places.map(({ member }) => rows.get(member.id)).filter(each => each !== undefined);
      list.replaceChildren(...inOrder(hasMoved ? now : before));
      if (hasMoved) return;
      hasMoved = true;
      const tops = new Map([...rows].map(([id, { offsetTop }]) => [id, offsetTop]));
      list.replaceChildren(...inOrder(now));
      if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
      for (const [id, made] of rows) {
        const by = (tops.get(id) ?? 0) - made.offsetTop;
        if (by === 0) continue;
        const steps = [{ transform: `translateY(${by}px)` }, { transform: 'none' }];
        made.animate(steps, {
          duration: MOVE_MS,
          delay: MOVE_DELAY_MS,
          fill: 'backwards',
          easing: 'cubic-bezier(.3,1.2,.5,1)',
        });
      }
    },
  };
}

function row({ member, place }: Place, before: readonly Place[], meId: string, withMovement: boolean): HTMLElement {
  const { id, name, score = 0, gained = 0, online } = member;
  const was = before.find(each => each.member.id === id)?.place ?? place;
  const isFirst = before.every(each => each.member.gained === each.member.score);
  const classes = ['score', id === meId && 'mine', online === false && 'away'].filter(Boolean).join(' ');
  return element(
    'li',
    { class: classes, 'data-player': name, 'data-score': String(score), 'data-place': String(place) },
    element('span', { class: 'place' }, String(place)),
    avatar(name, id),
    element('span', { class: 'name' }, name, online === false && element('span', { class: 'small muted' }, ' offline')),
    withMovement &&
      element(
        'span',
        { class: 'change' },
        element('span', { class: gained > 0 ? 'good' : 'muted' }, gained > 0 ? `+${gained}` : '–'),
        isFirst ? undefined : movement(was - place),
      ),
    element('strong', { class: 'total' }, score.toLocaleString('en')),
  );
}

function movement(by: number): HTMLElement | undefined {
  if (by === 0) return undefined;
  const words = by > 0 ? `up ${by}` : `down ${-by}`;
  return element(
    'span',
    { class: `moved ${by > 0 ? 'good' : 'bad'}`, 'aria-label': words, title: words },
    `${by > 0 ? '▲' : '▼'}${Math.abs(by)}`,
  );
}
