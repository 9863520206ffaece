/** The users who type in a room, and the signal that this user types. PROTOCOL.md, `typing` and `user_typing`. */
import type { Room, Sender } from '@hubbub/client';
import { useClient } from './connection.js';
import { createStore, type Store, useKept, useStore } from './store.js';

/** A client believes a `user_typing` for this time: its end may be lost with the connection. */
const BELIEVED_MS = 6_000;
/** Often enough for those who watch, rarely enough for the room. */
const REPEAT_MS = 3_000;
/** A pause of this length is an end. */
const IDLE_MS = 4_000;

type Timer = ReturnType<typeof setTimeout>;

export interface TypingView {
  /** The other users who type now, in the order in which they began. */
  readonly typists: readonly Sender[];
  /** Call it for each change of the text. It sends a signal at most every 3 s, and ends it after a pause of 4 s. */
  readonly typed: () => void;
  /** Call it when the text was sent or discarded. */
  readonly stop: () => void;
}

/** @param me returns the id of the user of this client */
export function createTyping(room: Room, me: () => string | undefined): Store<TypingView> {
  const typing = new Map<string, { readonly sender: Sender; readonly end: Timer }>();
  let sentAtMs: number | undefined;
  let idle: Timer | undefined;

  const show = (): void => store.update({ typists: Array.from(typing.values(), ({ sender }) => sender) });
  const ended = (id: string): void => {
    clearTimeout(typing.get(id)?.end);
    if (typing.delete(id)) show();
  };
  const began = (sender: Sender): void => {
    const { id } = sender;
    if (id === me()) return;
    clearTimeout(typing.get(id)?.end);
    typing.set(id, { sender, end: setTimeout(() => ended(id), BELIEVED_MS) });
    show();
  };
  const clear = (): void => {
    for (const id of [...typing.keys()]) ended(id);
  };
  const stop = (): void => {
    clearTimeout(idle);
    if (sentAtMs !== undefined) room.stopTyping();
    sentAtMs = undefined;
  };
  const typed = (): void => {
    const nowMs = performance.now();
    if (sentAtMs === undefined || nowMs - sentAtMs >= REPEAT_MS) {
      room.typing();
      sentAtMs = nowMs;
    }
    clearTimeout(idle);
    idle = setTimeout(stop, IDLE_MS);
  };
  const store = createStore<TypingView>({ typists: [], typed, stop }, () => [
    room.on('user_typing', ({ sender }) => began(sender)),
    room.on('user_stopped_typing', ({ sender }) => ended(sender.id)),
    // A service's message has no sender.
    room.on('new_message', ({ sender }) => ended(sender?.id)),
    room.on('user_left', ({ payload }) => ended(payload.user.id)),
    room.onStateChange(({ state }) => state !== 'joined' && clear()),
    clear,
    stop,
  ]);
  return store;
}

/**
 * The users who type in a room that `useRoom` joined, and the signal of this user.
 *
 * @example
 * const { typists, typed, stop } = useTyping(room);
 * <input onChange={event => { setText(event.target.value); typed(); }} />
 */
export function useTyping(room: Room): TypingView {
  const client = useClient();
  return useStore(useKept(() => createTyping(room, () => client.session?.user.id), [client, room]));
}
