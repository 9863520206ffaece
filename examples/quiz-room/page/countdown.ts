/** A ring that empties while the time to answer runs out, with the seconds in it. */
import { element } from '../../page/dom.js';

const TICK_MS = 100;
const RADIUS = 26;
const LENGTH = 2 * Math.PI * RADIUS;
const HURRY_S = 5;
const SVG = 'http://www.w3.org/2000/svg';

export interface Countdown {
  readonly element: HTMLElement;
  /** Runs to then; `undefined` stops it. */
  until(endsAtMs: number | undefined, durationMs: number): void;
  close(): void;
}

/** @param now by the clock of the end */
export function countdown(now: () => number): Countdown {
  const number = element('span', { class: 'seconds' });
  const ring = circle('ring-left');
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 60 60');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(circle('ring-all'), ring);
  const made = element('div', { class: 'ring', role: 'timer', 'aria-label': 'Time left' }, number);
  made.prepend(svg);
  let ends: number | undefined;
  let duration = 1;

  const show = (): void => {
    const leftMs = Math.max(0, (ends ?? 0) - now());
    const seconds = Math.ceil(leftMs / 1000);
    number.textContent = String(seconds);
    made.classList.toggle('over', ends === undefined);
    made.classList.toggle('hurry', ends !== undefined && seconds <= HURRY_S);
    ring.style.strokeDashoffset = String(LENGTH * (1 - Math.min(1, leftMs / duration)));
  };
  const timer = setInterval(show, TICK_MS);
  return {
    element: made,
    until(endsAtMs, durationMs) {
      ends = endsAtMs;
      duration = durationMs;
      show();
    },
    close: () => clearInterval(timer),
  };
}

function circle(className: string): SVGCircleElement {
  const made = document.createElementNS(SVG, 'circle');
  const attributes = { cx: 30, cy: 30, r: RADIUS, class: className, 'stroke-dasharray': LENGTH };
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}
