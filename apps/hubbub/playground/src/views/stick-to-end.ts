/** Keeps a scrolled list at its end while the reader is there. */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

const NEAR_PX = 48;

/**
 * @param content changes when the list has another content
 * @returns whether new content is below the visible part, and a function that scrolls there
 */
export function useStickToEnd(list: RefObject<HTMLElement | null>, content: unknown) {
  const isAtEnd = useRef(true);
  const [hasNewer, setHasNewer] = useState(false);
  const toEnd = (): void => {
    if (list.current !== null) list.current.scrollTop = list.current.scrollHeight;
  };
  useEffect(() => {
    const element = list.current;
    if (element === null) return;
    const scrolled = (): void => {
      isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
      if (isAtEnd.current) setHasNewer(false);
    };
    element.addEventListener('scroll', scrolled, { passive: true });
    // The keyboard of a phone, a wrapped line, a wider window: the end moves without new content.
    const observer = new ResizeObserver(() => isAtEnd.current && toEnd());
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', scrolled);
      observer.disconnect();
    };
  }, []);
  useLayoutEffect(() => {
    if (isAtEnd.current) toEnd();
    else setHasNewer(true);
  }, [content]);
  return { hasNewer, toEnd };
}
