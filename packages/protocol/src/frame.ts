/** The frame: one message between a client and an edge, and the catalogue of its types (PROTOCOL.md section 2). */

import type { Status } from './report.js';

/** The `payload` of a frame: an object whose content depends on the type. */
export type Payload = Record<string, unknown>;

/** The origin of a frame: always as the edge knows it, never as a client wrote it. */
export interface Sender {
  readonly id: string;
  readonly name: string;
}

/** One message between a client and an edge (PROTOCOL.md section 2). */
export interface Frame {
  readonly type: string;
  readonly room?: string;
  readonly payload?: Payload;
  readonly sender?: Sender;
  /** RFC 3339, UTC, with milliseconds. */
  readonly timestamp?: string;
  /**
   * 1 to 64 bytes. The client chooses it in its frames, and the answer echoes it. In a `new_message` or a frame of a service
   * it names the message.
   */
  readonly id?: string;
  /** 1 to 64 bytes, globally unique: makes a client's publish idempotent. The edge names the message by it. */
  readonly message_id?: string;
  /** Position in the room's history; always together with `epoch`. */
  readonly offset?: number;
  /** Names the history that `offset` belongs to. */
  readonly epoch?: string;
}

/** Frames a client sends; every other well-formed name is a client event for services. */
export const CLIENT_FRAME_TYPES = [
  'join_room',
  'leave_room',
  'send_message',
  'typing',
  'stop_typing',
  'ping',
  'online_users',
  'set_status',
  'refresh',
  'resume',
  'history',
] as const;
export type ClientFrameType = (typeof CLIENT_FRAME_TYPES)[number];

/** Frames that PROTOCOL.md defines for clients. `RESERVED_FRAMES` lists those that services may not publish. */
export const EDGE_FRAME_TYPES = [
  'welcome',
  'new_message',
  'user_joined',
  'user_left',
  'user_typing',
  'user_stopped_typing',
  'user_status',
  'room_info',
  'room_count',
  'online_users',
  'history',
  'ack',
  'pong',
  'error',
  'room_gap',
  'session_gap',
  'room_offset',
  'room_opened',
  'room_closed',
  'reconnect',
] as const;
export type EdgeFrameType = (typeof EDGE_FRAME_TYPES)[number];

/** A user as rosters show it. */
export interface RosterUser extends Sender {
  /** Only ever `false`: the namespace keeps members that dropped, and this one is away. */
  readonly online?: false;
  /** RFC 3339: when the last connection of this one, who is away, ended. */
  readonly last_seen?: string;
  /** The last status that one of the user's sessions set. */
  readonly status?: Status;
}

/** Payload of `room_info` and `online_users`. `count` is exact, `users` is bounded. */
export interface RoomInfo {
  readonly room_id: string;
  readonly users: readonly RosterUser[];
  readonly count: number;
  /** Counts the changes of this room's roster; the higher one is newer. */
  readonly version: number;
  /** There are more users: `online_users` with `{ after: next }` asks for them. */
  readonly next?: number;
}

/** Payload of `room_count`, for rooms that are too large for single joins and leaves, or configured without them. */
export interface RoomCount {
  readonly room_id: string;
  readonly count: number;
  readonly version: number;
}

/** Payload of `user_joined` and `user_left`. */
export interface MembershipChange {
  readonly user: RosterUser;
  /** Users in the room after the change. */
  readonly count: number;
  readonly version: number;
}

/** Payload of `user_status`: the status of a member in rosters has changed. */
export interface StatusChange {
  readonly user: RosterUser;
  readonly version: number;
}

/** Why a client lacks messages of a room that it did not leave, or why a position could not be recovered from. */
export type GapReason = 'no_history' | 'too_old' | 'new_epoch' | 'too_many';

/** Payload of `room_gap`: messages between the client's position and this one are lost to it. */
export interface RoomGap {
  readonly room_id: string;
  readonly reason: GapReason;
  /** The position after which the room continues, if it has a history. */
  readonly epoch?: string;
  readonly offset?: number;
}

/** Where a session entered a room with history: payload of the `ack` of `join_room`, and the answer of `resume` for each room. */
export interface Recovery {
  readonly epoch: string;
  readonly offset: number;
  /** There when the client named a position; false means that messages are missing. */
  readonly recovered?: boolean;
  readonly reason?: GapReason;
  /** With `too_old`: the first offset that was replayed, where there was any. Earlier messages are missing. */
  readonly replayed_from?: number;
}

/** Payload of the answer to `history`. */
export interface HistoryAnswer {
  readonly room_id: string;
  readonly epoch: string;
  /** Oldest first, whole frames. */
  readonly messages: readonly Frame[];
  /** Whether further messages exist in the direction of the request. */
  readonly more: boolean;
  /** With `more`: the `since` of the next page, or its `before` where the request had no `since`. */
  readonly next?: number;
}

export const FRAME_TYPE_MAX_BYTES = 64;
export const FRAME_TYPE = /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/;

/** Whether `value` can name a frame: `[a-z][a-z0-9_]*(\.[a-z0-9_]+)*`, at most 64 bytes. */
export function isFrameType(value: string): boolean {
  return value.length <= FRAME_TYPE_MAX_BYTES && FRAME_TYPE.test(value);
}
