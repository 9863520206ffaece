/// <reference lib="esnext.disposable" preserve="true" />
/** The Hubbub SDK for browsers and Node. See README.md; MessagePack is in `@hubbub/client/msgpack`. */
export {
  type AnyEvents,
  type Codec,
  type ErrorCode,
  type Frame,
  HubbubError,
  type MembershipChange,
  type Payload,
  type Refusal,
  type RoomInfo,
  type RosterUser,
  type Sender,
  type SessionLimits,
  type Status,
} from '@hubbub/protocol';
export type { CallOptions } from './calls.js';
export { HubbubClient } from './client.js';
export type { ClientEvents, FrameTap } from './client-events.js';
export type { StateChange } from './connection.js';
export type { ConnectionState } from './connection-states.js';
export type { Subscription, Unsubscribe } from './emitter.js';
export type { Closing } from './errors.js';
export type { FrameOf, FrameTypeName, MessagePayload, RoomFrame } from './event-types.js';
export type { FrameWith, KnownFrames, MessageFrame, Session, Welcome } from './frames.js';
export type { HistoryPage, HistoryQuery } from './history.js';
export type { RoomChange, RoomState } from './membership.js';
export { createFrameIds } from './names.js';
export type { ClientOptions, PayloadCheck } from './options.js';
export type { Gap, GapReason, Recovered } from './recovery.js';
export type { JoinOptions, Receipt, Room, RoomRoster as Roster, SendOptions } from './room.js';
export type { TokenOption } from './token.js';
export type { OpenTransport, Transport, TransportKind, TransportListener, TransportRequest } from './transport.js';
export type { Wire } from './wire.js';
