/** Keeps the children of an element in step with a list, reusing them by key: focus, scroll and live regions stay calm. */

/** One item's element, and how it follows the item. */
export interface ItemView<Item> {
  readonly root: HTMLElement;
  update?(item: Item): void;
}

/**
 * Returns the function that renders a list.
 *
 * @example
 * const render = keyedList(ul, user => user.id, user => ({ root: element('li', {}, user.name) }));
 * render(room.users);
 */
export function keyedList<Item>(
  container: HTMLElement,
  keyOf: (item: Item) => string | number,
  create: (item: Item) => ItemView<Item>,
): (items: readonly Item[]) => void {
  const views = new Map<string | number, ItemView<Item>>();
  return items => {
    const keys = new Set(items.map(keyOf));
    for (const [key, view] of views) {
      if (keys.has(key)) continue;
      view.root.remove();
      views.delete(key);
    }
    let expected = container.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      const view = views.get(key) ?? create(item);
      views.set(key, view);
      view.update?.(item);
      if (view.root === expected) expected = expected.nextElementSibling;
      else container.insertBefore(view.root, expected);
    }
  };
}
