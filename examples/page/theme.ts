/** Light or dark: as the system has it, until somebody presses the button; remembered then. */
import { element } from './dom.js';

const KEY = 'hubbub-example-theme';

/** A button that switches. */
export function themeButton(): HTMLButtonElement {
  const root = document.documentElement;
  const button = element('button', { type: 'button', class: 'quiet icon' });
  const isDark = (): boolean =>
    (root.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  const show = (): void => {
    button.textContent = isDark() ? '☀' : '☾';
    button.setAttribute('aria-label', isDark() ? 'Light colours' : 'Dark colours');
    button.title = button.getAttribute('aria-label') ?? '';
  };
  const remembered = read();
  if (remembered !== undefined) root.dataset.theme = remembered;
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    write(root.dataset.theme);
    show();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show);
  show();
  return button;
}

function read(): string | undefined {
  try {
    return localStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined; // A browser that keeps nothing: the choice lasts as long as the page.
  }
}

function write(theme: string): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // As above.
  }
}
