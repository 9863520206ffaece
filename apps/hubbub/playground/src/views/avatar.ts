/** A colored initial; the color is the user's in every window. */
import type { Sender } from '@hubbub/client';
import { element } from '../dom/element.js';

/** The number of colors in style.css. */
const COLOURS = 8;

export function avatar({ id, name }: Sender): HTMLElement {
  const initial = [...name.trim()][0]?.toUpperCase() ?? '?';
  let sum = 0;
  for (const character of id) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return element('span', { class: 'avatar', 'aria-hidden': 'true', 'data-colour': String(sum % COLOURS) }, initial);
}
