/** Makes and finds elements. Text goes in as text nodes only: nothing that a user wrote is ever parsed as HTML. */

type Child = Node | string | undefined;

/** `class`, `data-…`, `aria-…` and the like; a boolean sets or leaves out the attribute. */
type Attributes = Readonly<Record<string, string | boolean | undefined>>;

/** @example element('p', { class: 'text', 'data-testid': 'message-text' }, text) */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  setAttributes(made, attributes);
  made.append(...children.filter(child => child !== undefined));
  return made;
}

export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) target.removeAttribute(name);
    else if (value === true) target.setAttribute(name, '');
    else if (target.getAttribute(name) !== value) target.setAttribute(name, value);
  }
}

/** Writes only what differs: a live region would read out what was written again. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** An element of index.html. @throws {Error} when the page and the script do not fit. */
export function find<Kind extends Element>(id: string, kind: abstract new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} with the id "${id}"`);
  return found;
}
