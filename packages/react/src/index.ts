'use client';

/** React hooks for `@hubbub/client`. See README.md. */
export { type ConnectionView, HubbubProvider, type HubbubProviderProps, useConnection } from './connection.js';
export type { GapItem, Item, MessageItem, MessageOf } from './message-items.js';
export type { MessagesOptions, MessagesView } from './message-list.js';
export { useMessages } from './messages.js';
export { type RoomOptions, type RoomView, useRoom } from './room.js';
export { type RosterView, useRoster } from './roster.js';
export { type TypingView, useTyping } from './typing.js';
