/** Creates the handler of every type of frame, each with the parts that it uses. */
import type { FrameHandlers } from '../sessions/receiver.js';
import { handleClientEvent } from './client-event.js';
import type { FrameParts } from './frame-parts.js';
import { handleHistory } from './history.js';
import { createRoomJoin, handleJoinRoom } from './join-room.js';
import { handleLeaveRoom } from './leave-room.js';
import { handleOnlineUsers } from './online-users.js';
import { handleRefresh } from './refresh.js';
import { handleResume } from './resume.js';
import { handleSendMessage } from './send-message.js';
import { handleSetStatus } from './set-status.js';
import { handleTyping } from './typing.js';

export function createFrameHandlers(parts: FrameParts): FrameHandlers {
  const { authorizer, authorizeJoin, verifyToken, revocations, namespaces, limits, refusals, expiry } = parts;
  const { memberships, publisher, history, events, presence, questions } = parts;
  const joinRoom = createRoomJoin({ memberships, authorizeJoin, limits });
  return {
    join_room: handleJoinRoom(joinRoom),
    leave_room: handleLeaveRoom({ memberships }),
    send_message: handleSendMessage({ authorizer, publisher, limits }),
    typing: handleTyping('user_typing', { publisher }),
    stop_typing: handleTyping('user_stopped_typing', { publisher }),
    // For clients that cannot see the protocol's own pings, as browsers cannot.
    ping: (session, { id }) => {
      session.answer(id === undefined ? {} : { id }, { type: 'pong' });
    },
    online_users: handleOnlineUsers({ namespaces, presence, questions }),
    set_status: handleSetStatus({ presence, limits }),
    refresh: handleRefresh({ verifyToken, revocations, authorizer, namespaces, expiry, presence, memberships }),
    resume: handleResume({ joinRoom, refusals, limits }),
    history: handleHistory({ history, limits }),
    client_event: handleClientEvent({ events, limits }),
  };
}
