/** Reads what clients of the Pusher protocol send, as frames of Hubbub: the limits of frames and their order are the same. */
import { HubbubError, isPlainObject, jsonCodec } from '@hubbub/protocol';
import type { ClientFrame } from '@hubbub/protocol/client-frame';
import { EVENT_NAME_MAX_LENGTH, roomOfChannel, SIGNIN_ID, SUBSCRIBE_ID } from '@hubbub/protocol/pusher';
import type { Session } from '../sessions/session.js';
import { connectionOf } from './connections.js';

const CLIENT_EVENT_PREFIX = 'client-';

/** @throws {HubbubError} `INVALID_FORMAT`, `UNKNOWN_TYPE` */
export function decodePusherFrame(session: Session, bytes: Uint8Array): ClientFrame {
  const value = jsonCodec.decode(bytes);
  if (!isPlainObject(value) || typeof value.event !== 'string') {
    throw new HubbubError('INVALID_FORMAT', 'event: expected text.');
  }
  const { event, channel, data } = value;
  const fields = isPlainObject(data) ? data : {};
  switch (event) {
    case 'pusher:subscribe':
      return { type: 'join_room', id: SUBSCRIBE_ID, ...roomOf(session, fields.channel), payload: fields };
    case 'pusher:unsubscribe':
      return { type: 'leave_room', ...roomOf(session, fields.channel), payload: fields };
    case 'pusher:signin':
      return { type: 'refresh', id: SIGNIN_ID, payload: fields };
    case 'pusher:ping':
      return { type: 'ping' };
    case 'pusher:pong':
      return { type: 'ping', payload: { answered: true } };
    default:
      if (!event.startsWith(CLIENT_EVENT_PREFIX))
        throw new HubbubError('UNKNOWN_TYPE', `Unknown event ${named(event)}.`);
      if (event.length > EVENT_NAME_MAX_LENGTH) {
        throw new HubbubError('INVALID_PAYLOAD', `event: expected at most ${EVENT_NAME_MAX_LENGTH} characters.`);
      }
      return { type: 'send_message', ...roomOf(session, channel), payload: { event, channel, data } };
  }
}

function roomOf(session: Session, channel: unknown): { readonly room?: string } {
  const room = typeof channel === 'string' ? roomOfChannel(connectionOf(session).app.id, channel) : undefined;
  return room === undefined ? {} : { room };
}

function named(event: string): string {
  return event.slice(0, EVENT_NAME_MAX_LENGTH);
}
