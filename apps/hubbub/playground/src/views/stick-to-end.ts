/** Keeps a scrolled list at its end while the reader is there, and else offers a button that leads there. */

const NEAR_PX = 48;

export function stickToEnd(list: HTMLElement, toEnd?: HTMLButtonElement): { contentChanged(): void } {
  let atEnd = true;
  let heightSeen = 0;
  const offer = (wanted: boolean): void => {
    if (toEnd !== undefined) toEnd.hidden = !wanted;
  };
  list.addEventListener(
    'scroll',
    () => {
      atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_PX;
      if (atEnd) offer(false);
    },
    { passive: true },
  );
  toEnd?.addEventListener('click', () => {
    list.scrollTop = list.scrollHeight;
    list.focus();
  });
  offer(false);
  // The keyboard of a phone, a wrapped line, a wider window: the end moves without new content.
  new ResizeObserver(() => {
    if (atEnd) list.scrollTop = list.scrollHeight;
  }).observe(list);
  return {
    contentChanged() {
      if (atEnd) list.scrollTop = list.scrollHeight;
      else if (list.scrollHeight > heightSeen) offer(true);
      heightSeen = list.scrollHeight;
    },
  };
}
