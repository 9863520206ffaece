/** online_users: the members of a room; presence answers through the broker. */

import { namespaceSettings } from '@hubbub/config';
import { HubbubError, isPlainObject, namespaceOf } from '@hubbub/protocol';
import type { ClientFrame } from '@hubbub/protocol/client-frame';
import type { FrameHandler } from '../sessions/receiver.js';
import { memberRoom } from './frame-fields.js';
import type { FrameParts } from './frame-parts.js';

export function handleOnlineUsers({
  namespaces,
  presence,
  questions,
}: Pick<FrameParts, 'namespaces' | 'presence' | 'questions'>): FrameHandler {
  return (session, frame) => {
    const room = memberRoom(session, frame);
    session.assertAllows(room, 'presence');
    // Presence keeps nothing of such a room and would never answer.
    if (namespaceSettings(namespaces, namespaceOf(room)).presence === 'off') {
      throw new HubbubError('FORBIDDEN', `Presence is off in the namespace \`${namespaceOf(room)}\`.`, {
        details: { room },
      });
    }
    session.cost?.bytesOut.assertLeft(room);
    const page = after(frame);
    const question = questions.add(session, room, frame.id);
    if (question === undefined)
      throw new HubbubError('UNAVAILABLE', 'Too many requests wait for presence; ask again later.');
    if (!presence.askRoster(session, room, question, page)) questions.refuse(question);
  };
}

/** `next` of the page before, where the client wants a following one. */
function after({ payload }: ClientFrame): number | undefined {
  const position = isPlainObject(payload) ? payload.after : undefined;
  if (position === undefined || position === null) return undefined;
  if (typeof position !== 'number' || !Number.isSafeInteger(position) || position < 0) {
    throw new HubbubError('INVALID_PAYLOAD', 'payload.after must be `next` of the previous page.');
  }
  return position;
}
