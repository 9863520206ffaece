/** The views and their URLs: the part after `#`, so that each can be opened, shared and reached by the back button. */
import { useEffect, useState } from 'preact/hooks';

export type Route =
  | { readonly view: 'nodes' | 'rooms' | 'users' | 'events' | 'explain' }
  | { readonly view: 'room' | 'user' | 'explanation'; readonly name: string }
  | { readonly view: 'letters'; readonly namespace: string; readonly group: string };

/** @example hrefOf('rooms', 'chat:42') === '#/rooms/chat%3A42' */
export function hrefOf(...parts: readonly string[]): string {
  return `#${parts.map(part => `/${encodeURIComponent(part)}`).join('')}`;
}

/** An unknown URL is the first view. */
export function routeOf(hash: string): Route {
  const [list, name, group] = hash.replace(/^#\/?/, '').split('/').map(decode);
  if (list === 'events' && name && group) return { view: 'letters', namespace: name, group };
  if (list === 'rooms') return name ? { view: 'room', name } : { view: 'rooms' };
  if (list === 'users') return name ? { view: 'user', name } : { view: 'users' };
  if (list === 'explain') return name ? { view: 'explanation', name } : { view: 'explain' };
  return { view: list === 'events' ? 'events' : 'nodes' };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return ''; // A malformed escape names nothing.
  }
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = (): void => setHash(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return routeOf(hash);
}
