/** Elements that follow a list of things: what did not change keeps its element, and with it focus and place. */

export interface Keyed {
  /** Names the thing; no two of a list are equal. */
  readonly key: string;
  /** A key for all that its element shows: a new element when it changes. */
  readonly shown: string;
  make(): HTMLElement;
}

interface Kept {
  readonly shown: string;
  readonly element: HTMLElement;
}

const lists = new WeakMap<Element, Map<string, Kept>>();

/** Makes the children of `parent` those of `things`, in their order. */
export function showList(parent: Element, things: readonly Keyed[]): void {
  const before = lists.get(parent) ?? new Map<string, Kept>();
  const after = new Map<string, Kept>();
  let place = parent.firstElementChild;
  for (const { key, shown, make } of things) {
    const old = before.get(key);
    const kept = old?.shown === shown ? old : { shown, element: make() };
    after.set(key, kept);
    if (old !== undefined && old !== kept) {
      if (place === old.element) place = kept.element;
      replace(old.element, kept.element);
    }
    if (kept.element === place) place = place.nextElementSibling;
    else parent.insertBefore(kept.element, place);
  }
  while (place !== null) {
    const next = place.nextElementSibling;
    place.remove();
    place = next;
  }
  lists.set(parent, after);
}

/** The part that had the focus has it again, where the new element has one of that name. */
function replace(old: HTMLElement, made: HTMLElement): void {
  const focused = document.activeElement;
  const had = focused !== null && old.contains(focused);
  const name = focused instanceof HTMLElement ? focused.dataset.focus : undefined;
  old.replaceWith(made);
  if (!had) return;
  const part = name === undefined ? made : (made.querySelector<HTMLElement>(`[data-focus="${name}"]`) ?? made);
  part.focus({ preventScroll: true });
}
