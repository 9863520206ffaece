/** The Hubbub SDK for services: publish, consume client events, query presence, close rooms, mint tokens. */
export type {
  DeadLetter,
  EventBacklog,
  EventEntry,
  LifecycleEntry,
  LifecycleLetter,
  RedisCertificateFiles,
} from '@hubbub/broker';
export {
  type AnyEvents,
  type ClientEvent,
  HubbubError,
  type LifecycleEvent,
  type LifecycleGap,
  type Payload,
  type PayloadSchemas,
  type Right,
  type Sender,
  type SessionAddress,
  type StandardSchema,
} from '@hubbub/protocol';
export type {
  Explanation,
  NodeLoad,
  NodeState,
  RefusalAccount,
  RoomAccount,
  SessionAccount,
} from '@hubbub/protocol/account';
export type { CallOptions } from './calls.js';
export { connectHubbub, type HubbubOptions } from './connect.js';
export type { Consumer, ConsumerOptions, Entry } from './consumer/source.js';
export type { DeadLetters } from './dead-letters.js';
export type { EventHandler, EventsOptions, GroupOptions, ServiceEvent, ServiceEventOf } from './events.js';
export type { ExplainQuery } from './explain.js';
export { createHubbub, type Hubbub, type NamespaceBacklog, type ServiceOptions } from './hubbub.js';
export type { LifecycleHandler, LifecycleOptions, ServiceLifecycleEvent } from './lifecycle.js';
export type {
  PresenceOptions,
  PresenceQueries,
  RoomPage,
  RoomQuery,
  RosterMember,
  RosterPage,
  RosterQuery,
  UserPresence,
} from './presence.js';
export type { Publication, PublicationOf } from './publication.js';
export type { Published } from './publisher.js';
export type { MoveRequest } from './rebalancing.js';
export type { AccessControl, RevokeOptions, TokenSelection } from './revocations.js';
export type { TailListener, TailQuery } from './tail.js';
export type { TailedMessage } from './tailed-message.js';
export {
  createTokenMint,
  type RoomToken,
  type SessionToken,
  type TokenAlgorithm,
  type TokenMint,
  type TokenMintOptions,
} from './tokens.js';
export {
  signWebhook,
  type VerifyWebhookOptions,
  verifyWebhook,
  type WebhookDelivery,
  type WebhookEvent,
  type WebhookHeaders,
  type WebhookRequest,
} from './webhook-signature.js';
