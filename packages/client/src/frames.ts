/** The frames of an edge (PROTOCOL.md section 2.2): their types, and checks of those that the SDK itself reads. */
import {
  type ErrorCode,
  type Frame,
  type HistoryAnswer,
  isPlainObject,
  type MembershipChange,
  type Pace,
  type Payload,
  type Position,
  type Recovery,
  type RoomCount,
  type RoomGap,
  type RoomInfo,
  type Sender,
  type SessionLimits,
  type StatusChange,
} from '@hubbub/protocol';
import { isTimerMs } from './calls.js';

/** A frame whose payload is known. */
export type FrameWith<P> = Omit<Frame, 'payload'> & { readonly payload: P };

export interface Welcome extends Partial<Pace> {
  readonly session_id: string;
  readonly user: Sender;
  /** The room of the path, where there was one. */
  readonly rooms: readonly string[];
  /** Of the room of the path, where it has a history. */
  readonly position?: Recovery;
  readonly limits: SessionLimits;
  /** RFC 3339, by the edge's clock: when the session ends unless its token is renewed. */
  readonly expires_at?: string;
  /** The same as a duration in milliseconds: what a client goes by, for its own clock may be wrong. */
  readonly expires_in_ms?: number;
  /** Features of the edge beside the frames of the first version (PROTOCOL.md section 2.2). */
  readonly features?: readonly string[];
}

/** The content of `welcome`, for applications. */
export interface Session {
  readonly id: string;
  readonly user: Sender;
  readonly limits: SessionLimits;
  /** Features of this edge beside the frames of the first version (PROTOCOL.md section 2.2). */
  readonly features: readonly string[];
}

/** A message of a member, with its payload. */
export type MessageFrame<P = Payload> = FrameWith<P> & {
  readonly room: string;
  readonly sender: Sender;
  readonly timestamp: string;
};

/** By type, what a listener gets; a service's frames are plain `Frame`s. An edge keeps to this, a service may not. */
export interface KnownFrames {
  readonly welcome: FrameWith<Welcome>;
  /** A member's message has all of these; a service that publishes one may leave the sender and the payload out. */
  readonly new_message: MessageFrame;
  readonly user_joined: FrameWith<MembershipChange>;
  readonly user_left: FrameWith<MembershipChange>;
  readonly user_typing: Frame & { readonly room: string; readonly sender: Sender };
  readonly user_stopped_typing: Frame & { readonly room: string; readonly sender: Sender };
  readonly user_status: FrameWith<StatusChange>;
  readonly room_info: FrameWith<RoomInfo>;
  readonly room_count: FrameWith<RoomCount>;
  readonly online_users: FrameWith<RoomInfo>;
  readonly error: FrameWith<{ readonly code: ErrorCode; readonly message: string }>;
  readonly history: FrameWith<HistoryAnswer>;
  readonly room_gap: FrameWith<RoomGap>;
  /** Frames for this user, for all or for this session may have been lost. */
  readonly session_gap: Frame;
  readonly room_opened: FrameWith<{ readonly room_id: string } & Partial<Position>>;
  readonly room_closed: FrameWith<{ readonly room_id: string }>;
  readonly reconnect: FrameWith<{ readonly delay_ms: number }>;
}

/** The delay that a `reconnect` frame asks for, in milliseconds; 0 when it names none. */
export function reconnectDelayMs({ payload }: Frame): number {
  const delayMs = payload?.delay_ms;
  return isTimerMs(delayMs) ? delayMs : 0;
}

// Any service may publish any frame, well-formed or not.

export function isWelcome(payload: unknown): payload is Welcome {
  return (
    isPlainObject(payload) &&
    typeof payload.session_id === 'string' &&
    isSender(payload.user) &&
    Array.isArray(payload.rooms) &&
    isPlainObject(payload.limits)
  );
}

export function isRoomInfo(payload: unknown): payload is RoomInfo {
  return isRoomCount(payload) && 'users' in payload && Array.isArray(payload.users) && payload.users.every(isSender);
}

export function isMembershipChange(payload: unknown): payload is MembershipChange {
  return isRoomCount(payload) && isStatusChange(payload);
}

export function isStatusChange(payload: unknown): payload is StatusChange {
  return isPlainObject(payload) && isSender(payload.user) && isNumber(payload.version);
}

export function isRoomCount(payload: unknown): payload is RoomCount {
  return isPlainObject(payload) && isNumber(payload.count) && isNumber(payload.version);
}

function isSender(value: unknown): value is Sender {
  return isPlainObject(value) && typeof value.id === 'string' && typeof value.name === 'string';
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}
