/** Frames that only the cluster may send to clients (PROTOCOL.md section 7.1). */
import { CLIENT_FRAME_TYPES, EDGE_FRAME_TYPES, type EdgeFrameType } from './frame.js';

/**
 * The origin of each reserved frame. Frames of an edge never arrive over the broker; presence
 * publishes its frames in envelopes. Frames that are not listed, such as `new_message`, services may publish.
 */
export const RESERVED_FRAMES = {
  welcome: 'edge',
  ack: 'edge',
  error: 'edge',
  pong: 'edge',
  history: 'edge',
  reconnect: 'edge',
  room_gap: 'edge',
  session_gap: 'edge',
  room_offset: 'edge',
  room_opened: 'edge',
  room_closed: 'edge',
  room_info: 'presence',
  room_count: 'presence',
  online_users: 'presence',
} as const satisfies Partial<Record<EdgeFrameType, 'edge' | 'presence'>>;
export type ReservedFrameType = keyof typeof RESERVED_FRAMES;

export const RESERVED_FRAME_TYPES = /* @__PURE__ */ Object.keys(RESERVED_FRAMES) as readonly ReservedFrameType[];

/** Types that begin like this are controls (section 7.2) or reserved for future frames. */
export const RESERVED_TYPE_PREFIX = 'hubbub.';

/** Whether Hubbub defines or reserves this type: a client event cannot have it. */
export function isOwnType(type: string): boolean {
  const isOneOf = (types: readonly string[]): boolean => types.includes(type);
  return isOneOf(CLIENT_FRAME_TYPES) || isOneOf(EDGE_FRAME_TYPES) || type.startsWith(RESERVED_TYPE_PREFIX);
}

/** Services answer a client event with an `error` to its session; to a room, a user or all it would answer nothing. */
const ANSWERS: ReadonlySet<string> = new Set<ReservedFrameType>(['error']);

/** The target of a message: an audience (a room, a user, all), or single sessions that it answers. */
export type MessageTarget = 'audience' | 'sessions';

/** Whether only the cluster may send frames of this type to `target`. */
export function isReservedType(type: string, target: MessageTarget): boolean {
  if (type.startsWith(RESERVED_TYPE_PREFIX)) return true;
  return Object.hasOwn(RESERVED_FRAMES, type) && !(target === 'sessions' && ANSWERS.has(type));
}

/** Whether the body of an envelope may not have this type: an edge makes the frame itself, or nothing makes it yet. */
export function isForgedType(type: string, target: MessageTarget): boolean {
  if (!isReservedType(type, target)) return false;
  return RESERVED_FRAMES[type as ReservedFrameType] !== 'presence';
}
