/** Controls of rooms, users and sessions by services (docs/redis-contract.md). */
import type { Payload } from './frame.js';
import { isUserId } from './identifiers.js';
import { utf8Length } from './limits.js';
import { SESSION_ID_MAX_BYTES } from './report.js';
import { RESERVED_TYPE_PREFIX } from './reserved-frames.js';
import { isRoomName } from './room-name.js';
import { isText, isWellFormed } from './text.js';

/** A close frame carries the reason of a control, too: at most 123 bytes (RFC 6455 section 5.5). */
export const CONTROL_REASON_MAX_BYTES = 123;

export type Control =
  /** On a room's channel: its members are out of it. */
  | { readonly do: 'close_room'; readonly reason?: string }
  /** On a room's channel: every session of the user is out of it. */
  | { readonly do: 'remove_user'; readonly user: string; readonly reason?: string }
  /** On a user's channel: its sessions are closed with 4200. */
  | { readonly do: 'disconnect_user'; readonly reason?: string }
  /** On a node's channel: the sessions that the envelope names enter the room. All rights when there are none. */
  | { readonly do: 'add_sessions'; readonly room: string; readonly rights?: readonly string[] }
  /** On a node's channel: the sessions that the envelope names are out of the room. */
  | { readonly do: 'remove_sessions'; readonly room: string; readonly reason?: string }
  /** On a node's channel, from presence: the sessions that the envelope names are closed with 4202. */
  | { readonly do: 'refuse_sessions'; readonly reason?: string }
  /** On a node's channel: the edge moves this share of its sessions to other edges, and stays. */
  | { readonly do: 'move_sessions'; readonly percent: number }
  /** On a node's channel: the edge publishes what it knows of the user, the session or the room (docs/decisions/0011). */
  | ({ readonly do: 'explain'; readonly question: string } & ExplainedSubject);

/** Without any of them, the edge reports its load alone. */
export interface ExplainedSubject {
  readonly user?: string;
  readonly session?: string;
  readonly room?: string;
}

/** Names the channel of the answers. */
const QUESTION = /^[\w-]{1,64}$/;

/** Types of plain JSON messages that begin like this are controls, and no frames. */
export const CONTROL_TYPE_PREFIX = RESERVED_TYPE_PREFIX;

/** The control that an envelope's header or a service's message holds; `undefined` without one, or with a wrong field. */
export function readControl(value: unknown): Control | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Partial<
    Record<'do' | 'user' | 'session' | 'room' | 'rights' | 'reason' | 'question' | 'percent', unknown>
  >;
  const { do: action, reason } = fields;
  if (reason !== undefined && !isReason(reason)) return undefined;
  const why = reason === undefined ? {} : { reason };
  switch (action) {
    case 'close_room':
    case 'disconnect_user':
    case 'refuse_sessions':
      return { do: action, ...why };
    case 'remove_user':
      return isUserId(fields.user) ? { do: action, user: fields.user, ...why } : undefined;
    case 'remove_sessions':
      return isRoom(fields.room) ? { do: action, room: fields.room, ...why } : undefined;
    case 'add_sessions': {
      const { room, rights } = fields;
      if (!isRoom(room)) return undefined;
      if (rights === undefined) return { do: action, room };
      return isListOfText(rights) ? { do: action, room, rights } : undefined;
    }
    case 'move_sessions': {
      const { percent } = fields;
      return isPercent(percent) ? { do: action, percent } : undefined;
    }
    case 'explain': {
      const { question, user, session, room } = fields;
      if (typeof question !== 'string' || !QUESTION.test(question)) return undefined;
      const isValid =
        (user === undefined || isUserId(user)) &&
        (session === undefined || isText(session, SESSION_ID_MAX_BYTES)) &&
        (room === undefined || isRoom(room));
      if (!isValid) return undefined;
      const about = { ...(user !== undefined && { user }), ...(session !== undefined && { session }) };
      return { do: action, question, ...about, ...(room !== undefined && { room }) };
    }
    default:
      return undefined;
  }
}

/**
 * The control in a service's plain message, such as `{ type: 'hubbub.remove_user', payload: { user, reason } }`;
 * `undefined` when the type or a field is wrong.
 */
export function controlOfMessage(message: { readonly type: string; readonly payload?: Payload }): Control | undefined {
  const { type, payload } = message;
  if (!type.startsWith(CONTROL_TYPE_PREFIX)) return undefined;
  return readControl({ ...payload, do: type.slice(CONTROL_TYPE_PREFIX.length) });
}

function isReason(value: unknown): value is string {
  return typeof value === 'string' && utf8Length(value) <= CONTROL_REASON_MAX_BYTES && isWellFormed(value);
}

function isPercent(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 100;
}

function isRoom(value: unknown): value is string {
  return typeof value === 'string' && isRoomName(value);
}

function isListOfText(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string');
}
