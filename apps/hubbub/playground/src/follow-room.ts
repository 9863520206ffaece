/** Carries what the SDK hears of a room into the room that the page shows. */
import type { Frame, Room, Unsubscribe } from '@hubbub/client';
import { EDGE_FRAME_TYPES } from '@hubbub/protocol';
import type { Chat } from './state/chat.js';
import type { ChatRoom } from './state/chat-room.js';

const EDGE_TYPES: readonly string[] = EDGE_FRAME_TYPES;

/** Returns what stops it. */
export function followRoom(room: Room, shown: ChatRoom, chat: Chat): Unsubscribe {
  const isMe = (id: string): boolean => id === chat.me?.id;
  const stops = [
    room.onStateChange(({ state, previous, error }) => {
      shown.state = state;
      shown.error = error;
      if (state !== 'joined') shown.clearTypists();
      if (state === 'joined' && previous === 'joining') shown.entries.addLine('You joined');
      if (state === 'joined' && previous === 'rejoining') shown.entries.addLine('You are back');
      if (state === 'rejoining') shown.entries.addLine('Disconnected: messages may be missing until you are back');
      chat.changed();
    }),
    room.roster.onChange(({ users, count }) => {
      shown.users = users;
      shown.count = count;
      chat.changed();
    }),
    room.on('new_message', frame => {
      if (frame.id !== undefined && shown.entries.hasOwn(frame.id)) return;
      const sender = frame.sender ?? { id: '', name: 'A service' }; // A service may omit the sender.
      shown.stoppedTyping(sender.id);
      shown.entries.addMessage({
        id: frame.id,
        sender,
        own: isMe(sender.id),
        text: textOf(frame),
        at: timeOf(frame),
        delivery: 'received',
      });
      if (chat.active !== shown || document.hidden) shown.unread++;
      chat.changed();
    }),
    room.on('user_typing', ({ sender }) => {
      if (!isMe(sender.id)) shown.startedTyping(sender);
    }),
    room.on('user_stopped_typing', ({ sender }) => shown.stoppedTyping(sender.id)),
    room.on('user_joined', ({ payload: { user } }) => addLine(`${user.name} joined`)),
    room.on('user_left', ({ payload: { user } }) => {
      shown.stoppedTyping(user.id);
      addLine(`${user.name} left`);
    }),
    room.on('room_gap', () => addLine('Messages may have been lost here')),
    room.on('room_closed', () => addLine('The room was closed')),
  ];
  function addLine(text: string): void {
    shown.entries.addLine(text);
    chat.changed();
  }
  shown.state = room.state;
  return () => {
    for (const stop of stops) stop();
  };
}

/** Shows custom frames of services, and a gap of the session, as a line in their room or in the open one. */
export function showServiceFrame(frame: Frame, chat: Chat): void {
  const shown = frame.room === undefined ? chat.active : chat.rooms.get(frame.room);
  if (frame.type === 'session_gap') shown?.entries.addLine('Messages to you or to everybody may have been lost here');
  if (EDGE_TYPES.includes(frame.type)) return;
  const payload = frame.payload === undefined ? '' : ` ${JSON.stringify(frame.payload)}`;
  shown?.entries.addLine(`${frame.type}${payload}`);
}

/** Messages of this page have `content`; others may hold anything. */
function textOf({ payload }: Frame): string {
  return typeof payload?.content === 'string' ? payload.content : JSON.stringify(payload ?? {});
}

function timeOf({ timestamp }: Frame): Date {
  const at = new Date(timestamp ?? Number.NaN);
  return Number.isNaN(at.getTime()) ? new Date() : at;
}
