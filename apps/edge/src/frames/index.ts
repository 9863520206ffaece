/** Which file answers which type of frame. */
import type { ClientFrameType } from '@hubbub/protocol';
import type { FrameAction } from './frame-context.js';
import { history } from './history.js';
import { joinRoom } from './join-room.js';
import { leaveRoom } from './leave-room.js';
import { onlineUsers } from './online-users.js';
import { ping } from './ping.js';
import { refresh } from './refresh.js';
import { resume } from './resume.js';
import { sendMessage } from './send-message.js';
import { setStatus } from './set-status.js';
import { stopTyping, typing } from './typing.js';

export const FRAME_ACTIONS: Readonly<Record<ClientFrameType, FrameAction>> = {
  join_room: joinRoom,
  leave_room: leaveRoom,
  send_message: sendMessage,
  typing,
  stop_typing: stopTyping,
  ping,
  online_users: onlineUsers,
  set_status: setStatus,
  refresh,
  resume,
  history,
};
