/** The hook for the messages of a room. */
import type { FrameTypeName, Room } from '@hubbub/client';
import { useClient } from './connection.js';
import { createMessageList, type MessagesOptions, type MessagesView } from './message-list.js';
import { type Store, useKept, useStore } from './store.js';

/**
 * The messages of a room that `useRoom` joined. Call it once for each room and pass the items on: each call has a list of
 * its own. Options that change begin a new list.
 *
 * @example
 * const { items, send } = useMessages(room);
 * items.map(item => (item.kind === 'gap' ? <hr key={item.key} /> : <p key={item.key}>{item.frame.payload.content}</p>));
 */
export function useMessages<Events, Sent, Name extends FrameTypeName<Events> = 'new_message'>(
  room: Room<Events, Sent>,
  options: MessagesOptions<Name> = {},
): MessagesView<Events, Sent, Name> {
  const client = useClient();
  const { limit, pageSize, types } = options;
  const list: Store<unknown> = useKept(
    () => createMessageList(room, () => client.session?.user, options),
    [client, room, limit, pageSize, types?.join()],
  );
  // The list itself does not know the events of the application.
  return useStore(list as Store<MessagesView<Events, Sent, Name>>);
}
