/** Control: what a service may do to rooms and users on every edge at once (PROTOCOL.md section 7.2). */
import type { Payload } from './frame.js';
import { USER_ID_MAX_BYTES, utf8Length } from './limits.js';

/** The reason of a control also travels in a close frame, whose text has at most 123 bytes (RFC 6455 section 5.5). */
export const CONTROL_REASON_MAX_BYTES = 123;

export type Control =
  /** On a room's channel: its members are out of it. */
  | { readonly do: 'close_room'; readonly reason?: string }
  /** On a room's channel: every session of the user is out of it. */
  | { readonly do: 'remove_user'; readonly user: string; readonly reason?: string }
  /** On a user's channel: its sessions are closed with 4200. */
  | { readonly do: 'disconnect_user'; readonly reason?: string }
  /** On a node's channel, from presence: the sessions that the envelope names are closed with 4202. */
  | { readonly do: 'refuse_sessions'; readonly reason?: string };

/** Types of plain JSON messages that begin like this are controls, and no frames. */
export const CONTROL_TYPE_PREFIX = 'hubbub.';

/** The control that an envelope's header or a service's message holds; `undefined` when it is none or has a wrong field. */
export function readControl(value: unknown): Control | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { do: action, user, reason } = value as Partial<Record<'do' | 'user' | 'reason', unknown>>;
  if (reason !== undefined && (typeof reason !== 'string' || utf8Length(reason) > CONTROL_REASON_MAX_BYTES)) {
    return undefined;
  }
  const why = reason === undefined ? {} : { reason };
  if (action === 'close_room' || action === 'disconnect_user' || action === 'refuse_sessions') {
    return { do: action, ...why };
  }
  if (action !== 'remove_user' || typeof user !== 'string') return undefined;
  return user === '' || utf8Length(user) > USER_ID_MAX_BYTES ? undefined : { do: action, user, ...why };
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
