/** Confetti, for two seconds; for those who like things to move. */
import { element } from '../../page/dom.js';

const PIECES = 28;
const SHOWN_MS = 2200;

export function celebrate(): void {
  const pieces = Array.from({ length: PIECES }, (_, index) => {
    const piece = element('i');
    piece.style.setProperty('--x', `${(index / PIECES) * 100}%`);
    piece.style.setProperty('--hue', String((index * 137) % 360));
    piece.style.setProperty('--delay', `${(index * 53) % 400}ms`);
    piece.style.setProperty('--turn', `${((index * 71) % 720) - 360}deg`);
    return piece;
  });
  const made = element('div', { class: 'confetti', 'aria-hidden': 'true' }, ...pieces);
  document.body.append(made);
  setTimeout(() => made.remove(), SHOWN_MS);
}
