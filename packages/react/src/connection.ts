/** The client of a tree of components, and the state of its connection. */
import type {
  AnyEvents,
  ConnectionState,
  HubbubClient,
  HubbubError,
  Session,
  StateChange,
  TransportKind,
} from '@hubbub/client';
import { createContext, createElement, type ReactElement, type ReactNode, useContext, useEffect } from 'react';
import { createStore, type Store, useStore } from './store.js';

export interface ConnectionView<Events = AnyEvents, Sent = Events> {
  readonly client: HubbubClient<Events, Sent>;
  readonly state: ConnectionState;
  /** The transport of the frames: `events` where WebSockets are blocked; absent without a connection. */
  readonly transport?: TransportKind | undefined;
  /** The current session, or the last one. */
  readonly session?: Session | undefined;
  /** The time of the next attempt, by `Date.now()`, when `state` is `waiting`. */
  readonly retryAtMs?: number | undefined;
  /** The reason, when `state` is `waiting`, or `closed` other than by `close()`. */
  readonly error?: HubbubError | undefined;
}

/** One for each client, so that a provider that replaces another one in the tree keeps the connection. */
const connections = new WeakMap<HubbubClient, Store<ConnectionView>>();

function connectionOf(client: HubbubClient): Store<ConnectionView> {
  const connection = connections.get(client) ?? createConnection(client);
  connections.set(client, connection);
  return connection;
}

function createConnection(client: HubbubClient): Store<ConnectionView> {
  const show = ({ state, delayMs, error }: Pick<StateChange, 'state' | 'delayMs' | 'error'>): void => {
    const retryAtMs = delayMs === undefined ? undefined : Date.now() + delayMs;
    const { session, transport } = client;
    store.update({ state, transport, session, retryAtMs, error });
  };
  const store = createStore<ConnectionView>({ client, state: 'idle' }, () => {
    const stop = client.on('state', show);
    show(client);
    void client.connect();
    return [stop, () => client.close()];
  });
  show(client);
  return store;
}

const ClientContext = createContext<HubbubClient | undefined>(undefined);

export interface HubbubProviderProps {
  /** Create it outside of components, or in a `useState`: each client is a connection of its own. */
  readonly client: HubbubClient;
  readonly children?: ReactNode;
}

/**
 * Gives the client to the hooks below it. Connects it while it is mounted, and closes it when the last provider of that
 * client is unmounted.
 *
 * @example
 * const client = new HubbubClient({ url: '/ws', token: () => fetchToken() });
 * createRoot(element).render(<HubbubProvider client={client}><App /></HubbubProvider>);
 */
export function HubbubProvider({ client, children }: HubbubProviderProps): ReactElement {
  useEffect(() => connectionOf(client).subscribe(() => {}), [client]);
  return createElement(ClientContext.Provider, { value: client }, children);
}

/** @throws {Error} outside of a `HubbubProvider` */
export function useClient(): HubbubClient {
  const client = useContext(ClientContext);
  if (client === undefined) throw new Error('No client: wrap the component in <HubbubProvider client={client}>.');
  return client;
}

/**
 * The client and the state of its connection.
 *
 * @typeParam Events payloads by event name, as of `HubbubClient`
 * @typeParam Sent payloads by event name of what the application sends, where it differs
 * @throws {Error} outside of a `HubbubProvider`
 * @example
 * const { state, error } = useConnection();
 * if (state === 'waiting') return <p>Reconnecting …</p>;
 */
export function useConnection<Events = AnyEvents, Sent = Events>(): ConnectionView<Events, Sent> {
  return useStore(connectionOf(useClient()));
}
