/** Membership of a room while a component is mounted. */
import type { AnyEvents, HubbubClient, HubbubError, Room, RoomState } from '@hubbub/client';
import { useEffect } from 'react';
import { useClient } from './connection.js';
import { createStore, type Store, useKept, useStore } from './store.js';

export interface RoomOptions {
  /** Returns a room token, as in `room.join`. The client calls it at every join; the function of the last render counts. */
  readonly token?: (() => string | Promise<string>) | undefined;
}

export interface RoomView<Events = AnyEvents, Sent = Events> {
  /** For `send`, `sendEvent`, `on` and the other hooks. The hook joins and leaves: do not call `join` and `leave` on it. */
  readonly room: Room<Events, Sent>;
  readonly state: RoomState;
  /** The reason, when `state` is `left` although the component is mounted. */
  readonly error?: HubbubError | undefined;
  /** Joins again after `left`. */
  readonly rejoin: () => void;
}

interface Membership extends Store<RoomView> {
  token: RoomOptions['token'];
}

function createMembership(client: HubbubClient, name: string): Membership {
  const room = client.room(name);
  const show = ({ state, error }: Pick<RoomView, 'state' | 'error'>): void => store.update({ state, error });
  const rejoin = (): void => {
    void room.join(membership.token && { token: () => membership.token?.() ?? '' });
  };
  const store = createStore<RoomView>({ room, state: 'left', rejoin }, () => {
    const stops = [
      room.onStateChange(show),
      // A closed client has left its rooms.
      client.on('state', ({ previous }) => previous === 'closed' && rejoin()),
      () => void room.leave().catch(() => {}), // Without a connection there is nothing to leave.
    ];
    rejoin();
    show(room);
    return stops;
  });
  const membership: Membership = { ...store, token: undefined };
  show(room);
  return membership;
}

/**
 * Joins the room while the component is mounted. Several components may use the same room: the client is in it until the
 * last one is unmounted.
 *
 * @typeParam Events payloads by event name, as of `HubbubClient`
 * @typeParam Sent payloads by event name of what the application sends, where it differs
 * @example
 * const { room, state, error } = useRoom<Events>('general');
 */
export function useRoom<Events = AnyEvents, Sent = Events>(
  name: string,
  { token }: RoomOptions = {},
): RoomView<Events, Sent> {
  const client = useClient();
  const membership = useKept(() => createMembership(client, name), [client, name]);
  // Before the store starts: effects run in their order.
  useEffect(() => {
    membership.token = token;
  }, [membership, token]);
  return useStore(membership);
}
