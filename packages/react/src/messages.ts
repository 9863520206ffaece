/** The hook for the messages of a room. */
import type { Room } from '@hubbub/client';
import { useClient } from './connection.js';
import { createMessageList, type MessagesOptions, type MessagesView } from './message-list.js';
import { useKept, useStore } from './store.js';

/**
 * The messages of a room that `useRoom` joined. Call it once for each room and pass the items on: each call has a list of
 * its own. Options that change begin a new list.
 *
 * @example
 * const { items, send } = useMessages(room);
 * items.map(item => (item.kind === 'gap' ? <hr key={item.key} /> : <p key={item.key}>{item.frame.payload?.content}</p>));
 */
export function useMessages(room: Room, options: MessagesOptions = {}): MessagesView {
  const client = useClient();
  const { limit, pageSize, types } = options;
  const list = useKept(
    () => createMessageList(room, () => client.session?.user, options),
    [client, room, limit, pageSize, types?.join()],
  );
  return useStore(list);
}
