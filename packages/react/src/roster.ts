/** The users of a room. */
import type { Room, RosterUser } from '@hubbub/client';
import { useCallback, useMemo, useSyncExternalStore } from 'react';

export interface RosterView {
  /** The same array until it changes. In large rooms a part of the users: compare with `count`. */
  readonly users: readonly RosterUser[];
  /** The exact number of users. */
  readonly count: number;
}

const NO_USERS: readonly RosterUser[] = [];

/**
 * The users of a room that `useRoom` joined. While the connection is lost, they are those from before.
 *
 * @example
 * const { users, count } = useRoster(room);
 */
export function useRoster(room: Room): RosterView {
  const subscribe = useCallback((listener: () => void) => room.roster.onChange(listener), [room]);
  const users = useSyncExternalStore(
    subscribe,
    () => room.roster.users,
    () => NO_USERS,
  );
  return useMemo(() => ({ users, count: users === NO_USERS ? 0 : room.roster.count }), [room, users]);
}
