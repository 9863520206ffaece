/** Reports that the browser went online or offline. Other platforms report nothing. */

type NetworkListener = (event: { readonly type: string }) => void;

interface NetworkScope {
  addEventListener?: (type: string, listener: NetworkListener) => void;
  removeEventListener?: (type: string, listener: NetworkListener) => void;
}

/** Works in pages and workers; returns what stops it. */
export function watchNetwork(changed: (isOnline: boolean) => void): () => void {
  const scope = globalThis as NetworkScope;
  const types = ['online', 'offline'];
  const listener: NetworkListener = ({ type }) => changed(type === 'online');
  for (const type of types) scope.addEventListener?.(type, listener);
  return () => {
    for (const type of types) scope.removeEventListener?.(type, listener);
  };
}
