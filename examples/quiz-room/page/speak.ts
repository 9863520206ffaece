/** Announces events to screen readers. */
import { element } from '../../page/dom.js';

const place = element('p', { class: 'visually-hidden', 'aria-live': 'polite', 'data-spoken': '' });
document.body.append(place);

export function speak(text: string): void {
  if (place.textContent !== text) place.textContent = text;
}
