/** Frames as events of the Pusher protocol. `data` is JSON within JSON, as its clients expect it. */
import type { Frame, Payload } from '../frame.js';
import { isPlainObject } from '../payload.js';
import { channelOfRoom, isRoomOfUser, kindOfRoom } from './channel.js';

/** The type of a frame that carries an event to the members of a room: its payload is a {@link PusherEvent}. */
export const EVENT_FRAME = 'pusher.event';

export interface PusherEvent {
  readonly event: string;
  /** Text where a back end published it; whatever a client sent. */
  readonly data?: unknown;
  /** The sender of a client event in a presence channel. */
  readonly user_id?: string;
}

export const EVENT_NAME_MAX_LENGTH = 200;

/** The edge's ids of requests: clients of this protocol give their frames none. */
export const SUBSCRIBE_ID = 'subscribe';
export const SIGNIN_ID = 'signin';

/** The event of an empty cache channel: to a new subscriber, and to the webhooks of the app. */
export const CACHE_MISS = 'pusher:cache_miss';

const SUBSCRIPTION_SUCCEEDED = 'pusher_internal:subscription_succeeded';

/** Frames that this protocol has no event for. */
const UNTRANSLATED: ReadonlySet<string> = new Set([
  'user_typing',
  'user_stopped_typing',
  'user_status',
  'online_users',
  'history',
  'room_gap',
  'session_gap',
  'room_offset',
  'room_opened',
  'reconnect',
]);

/**
 * The text of a frame; `undefined` where the protocol has no event for it.
 * @example pusherText({ type: 'pong' }) === '{"event":"pusher:pong","data":"{}"}'
 */
export function pusherText(frame: Frame): string | undefined {
  const { type, room, payload = {} } = frame;
  const channel = room === undefined ? undefined : channelOfRoom(room);
  switch (type) {
    case EVENT_FRAME:
      return textOf(payload.event, channel, payload.data, payload.user_id);
    case 'welcome':
      return textOf('pusher:connection_established', undefined, established(payload));
    case 'pong':
      return textOf('pusher:pong', undefined, '{}');
    case 'ack':
      return answerText(frame, channel);
    case 'error':
      return errorText(frame, channel);
    case 'user_joined':
    case 'user_left':
    case 'room_info':
    case 'room_count':
      return presenceText(frame, channel);
    case 'room_closed':
      return subscriptionError(channel, 'AuthError', 'The server ended the subscription.', 403);
    default:
      return UNTRANSLATED.has(type) ? undefined : textOf(type, channel, JSON.stringify(payload));
  }
}

/** The event that a cache channel is empty. */
export function cacheMissText(room: string): string {
  return textOf(CACHE_MISS, channelOfRoom(room));
}

/** The event that users of a watchlist are online or offline; a list without users is left out. */
export function watchlistText(users: {
  readonly online: readonly string[];
  readonly offline: readonly string[];
}): string {
  const events = (['online', 'offline'] as const)
    .filter(name => users[name].length > 0)
    .map(name => ({ name, user_ids: users[name] }));
  return textOf('pusher_internal:watchlist_events', undefined, JSON.stringify({ events }));
}

/** Absent fields are left out. */
function textOf(event: unknown, channel: string | undefined, data?: unknown, userId?: unknown): string {
  return JSON.stringify({ event, channel, data, user_id: userId });
}

function established({ session_id: id, ping_interval_ms: pingMs }: Payload): string {
  const seconds = typeof pingMs === 'number' ? Math.max(1, Math.round(pingMs / 1000)) : 120;
  return JSON.stringify({ socket_id: id, activity_timeout: seconds });
}

function answerText({ id, payload }: Frame, channel: string | undefined): string | undefined {
  if (id === SUBSCRIBE_ID) return textOf(SUBSCRIPTION_SUCCEEDED, channel, '{}');
  return id === SIGNIN_ID ? textOf('pusher:signin_success', undefined, JSON.stringify(payload)) : undefined;
}

interface PusherRefusal {
  /** `type` and `status` of a refused subscription. */
  readonly kind: string;
  readonly status: number;
  /** Of `pusher:error`. */
  readonly code: number | null;
}

/** Only a sign-in gets this code: `pusher:subscription_error` has none. */
const WATCHLIST_LIMIT = 4302;
const MALFORMED: PusherRefusal = { kind: 'BadRequest', status: 400, code: null };
const REFUSALS: Readonly<Record<string, PusherRefusal>> = {
  UNAUTHORIZED: { kind: 'AuthError', status: 401, code: 4009 },
  FORBIDDEN: { kind: 'AuthError', status: 403, code: 4009 },
  RATE_LIMITED: { kind: 'LimitReached', status: 429, code: 4301 },
  ROOM_LIMIT: { kind: 'LimitReached', status: 429, code: WATCHLIST_LIMIT },
  UNAVAILABLE: { kind: 'ServerError', status: 503, code: null },
};

/** A subscription that fails names its channel in `details` where the name has no room. */
function errorText({ id, payload = {} }: Frame, channel: string | undefined): string {
  const { code, message, details } = payload;
  const { kind, status, code: pusherCode } = REFUSALS[String(code)] ?? MALFORMED;
  const named = isPlainObject(details) && typeof details.channel === 'string' ? details.channel : channel;
  if (id === SUBSCRIBE_ID && named !== undefined) return subscriptionError(named, kind, message, status);
  return JSON.stringify({ event: 'pusher:error', data: { code: pusherCode, message } });
}

function subscriptionError(channel: string | undefined, type: string, error: unknown, status: number): string {
  return textOf('pusher:subscription_error', channel, { type, error, status });
}

function presenceText({ type, room = '', payload = {} }: Frame, channel: string | undefined): string | undefined {
  if (isRoomOfUser(room)) return undefined;
  const kind = kindOfRoom(room);
  if (kind !== '.presence' && kind !== '.presence-cache') {
    if (type !== 'room_count') return undefined;
    return textOf('pusher_internal:subscription_count', channel, JSON.stringify({ subscription_count: payload.count }));
  }
  if (type === 'room_info') {
    return textOf(SUBSCRIPTION_SUCCEEDED, channel, JSON.stringify({ presence: rosterOf(payload) }));
  }
  const { user } = payload;
  if (!isPlainObject(user)) return undefined;
  const { id: user_id } = user;
  if (type === 'user_left') return textOf('pusher_internal:member_removed', channel, JSON.stringify({ user_id }));
  const added = JSON.stringify({ user_id, user_info: infoOf(user) });
  return textOf('pusher_internal:member_added', channel, added);
}

function rosterOf({ users, count }: Payload) {
  const members = Array.isArray(users) ? users.filter(isPlainObject) : [];
  return {
    ids: members.map(({ id }) => String(id)),
    hash: Object.fromEntries(members.map(user => [String(user.id), infoOf(user)])),
    count,
  };
}

/** `user_info` of the member's `channel_data`; of a member with a client of Hubbub its name. */
function infoOf({ name, status }: Payload): unknown {
  return isPlainObject(status) && 'user_info' in status ? status.user_info : { name };
}
