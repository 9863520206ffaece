/** The Hubbub SDK for browsers and Node. See README.md; MessagePack is in `@hubbub/client/msgpack`. */
export {
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
export { HubbubClient } from './client.js';
export type { ClientEvents, FrameTap, Session } from './client-events.js';
export type { StateChange } from './connection.js';
export type { ConnectionState } from './connection-states.js';
export type { Unsubscribe } from './emitter.js';
export type { Closing } from './errors.js';
export type { FrameTypeName, FrameWith, KnownFrames, Welcome } from './frames.js';
export type { HistoryPage, HistoryQuery } from './history.js';
export type { RoomChange, RoomState } from './membership.js';
export { createFrameIds } from './names.js';
export type { ClientOptions } from './options.js';
export type { Gap, GapReason, Recovered } from './recovery.js';
export type { JoinOptions, Receipt, Room, RoomRoster as Roster, SendOptions } from './room.js';
export type { TokenOption } from './token.js';
export type { OpenTransport, Transport, TransportListener, TransportRequest } from './transport.js';
export type { Wire } from './wire.js';
