/** Elements without a framework. Text goes in as text: nothing that somebody wrote becomes markup. */

type Child = Node | string | undefined | false;

/**
 * @param properties attributes; `class` and `data-…` too, functions are listeners (`onclick`)
 * @example element('li', { class: 'mine' }, element('strong', {}, user.name), text)
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Readonly<Record<string, string | boolean | ((event: Event) => void)>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') made.addEventListener(name.replace(/^on/, ''), value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter(child => child !== undefined && child !== false));
  return made;
}

/** The element of the page with that id. @throws {Error} where page and script do not fit. */
export function byId<Of extends HTMLElement>(id: string, kind: new () => Of): Of {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`The page has no ${kind.name} #${id}.`);
}

/** A round picture of initials, in a color of the person's own. */
export function avatar(name: string, id: string): HTMLElement {
  const initials = name
    .split(/\s+/)
    .map(word => [...word][0] ?? '')
    .slice(0, 2)
    .join('')
    .toUpperCase();
  const made = element('span', { class: 'avatar', 'aria-hidden': 'true' }, initials);
  made.style.setProperty('--person', String(hueOf(id)));
  return made;
}

function hueOf(text: string): number {
  let hash = 0;
  for (const letter of text) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 360;
  return hash;
}
