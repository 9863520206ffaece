/** Short words at the lower edge that go by themselves; read out by screen readers. */
import { element } from './dom.js';

const SHOWN_MS = 6000;
const AT_ONCE_MAX = 3;

let place: HTMLElement | undefined;

/** @param kind screen readers announce `bad` immediately */
export function toast(text: string, kind: 'plain' | 'good' | 'bad' = 'plain'): void {
  if (place === undefined) {
    place = element('div', { class: 'toasts' });
    document.body.append(place);
  }
  const made = element('div', { class: `toast ${kind}`, role: kind === 'bad' ? 'alert' : 'status' }, text);
  place.append(made);
  while (place.childElementCount > AT_ONCE_MAX) place.firstElementChild?.remove();
  setTimeout(() => made.remove(), SHOWN_MS);
}
