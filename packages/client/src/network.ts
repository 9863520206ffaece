/** Hears from the browser that the network went away or came back. Elsewhere nothing is heard. */

interface NetworkScope {
  addEventListener?: (type: 'online' | 'offline', listener: () => void) => void;
  removeEventListener?: (type: 'online' | 'offline', listener: () => void) => void;
}

export interface NetworkListener {
  online(): void;
  offline(): void;
}

/** Works in pages and workers; returns what stops it. */
export function watchNetwork(listener: NetworkListener): () => void {
  const scope = globalThis as NetworkScope;
  const online = (): void => listener.online();
  const offline = (): void => listener.offline();
  scope.addEventListener?.('online', online);
  scope.addEventListener?.('offline', offline);
  return () => {
    scope.removeEventListener?.('online', online);
    scope.removeEventListener?.('offline', offline);
  };
}
