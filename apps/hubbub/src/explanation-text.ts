/** The account of a user, a session or a room as lines for people. */
import type { Explanation, RefusalAccount, RoomAccount, SessionAccount } from '@hubbub/protocol/account';
import { harmless } from './printing.js';

export function explanationLines(name: string, { nodes, sessions, refusals, rooms }: Explanation): string[] {
  const found = sessions.length + refusals.length + rooms.length;
  const lines = [
    ...sessions.flatMap(sessionLines),
    ...refusals.map(refusalLine),
    ...rooms.flatMap(roomLines),
    ...(found === 0 ? [`No edge remembers ${name}.`] : []),
    ...nodes.map(nodeLine),
    ...(nodes.length === 0 ? ['No edge is running.'] : []),
  ];
  return lines.map(harmless);
}

function sessionLines(session: SessionAccount): string[] {
  const { session_id, node, user, address, encoding, closed } = session;
  const end = closed && `${closed.at}  ended: ${closed.code} ${closed.cause}${quoted(closed.reason)}`;
  return [
    `session ${session_id} of ${user.id} (${user.name}) on ${node}: ${session.state}`,
    `  ${session.connected_at}  connected from ${address ?? 'an unknown address'}, ${encoding}${pathOf(session)}`,
    ...session.entries.map(entry => `  ${entryLine(entry)}`),
    ...(end === undefined ? [] : [`  ${end}`]),
    `  rooms: ${listOf(session.rooms, session.room_count)}`,
    `  last frames: ${session.last_frames.join(', ') || 'none'}${session.last_frame_at === undefined ? '' : ` (${session.last_frame_at})`}`,
    ...(closed === undefined
      ? [`  waiting: ${session.buffered_bytes} bytes for the client, ${session.waiting_frames} frames of it`]
      : []),
    ...(session.entries_dropped > 0 ? [`  ${session.entries_dropped} earlier entries were dropped`] : []),
  ];
}

function pathOf({ path_room, expires_at }: SessionAccount): string {
  const path = path_room === undefined ? '' : `, by the path of ${path_room}`;
  return expires_at === undefined ? path : `${path}, until ${expires_at}`;
}

function listOf(shown: readonly string[], count: number): string {
  if (count === 0) return 'none';
  const more = count - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

export function entryLine({
  at,
  event,
  room,
  type,
  code,
  limit,
  reason,
  count,
  last_at,
}: SessionAccount['entries'][number]): string {
  const subject = [event.replaceAll('_', ' '), type, room, code].filter(part => part !== undefined).join(' ');
  const bound = limit === undefined ? '' : ` (limit ${limit})`;
  return `${at}  ${subject}${bound}${reason === undefined ? '' : `: ${reason}`}${repetition(count, last_at)}`;
}

function refusalLine({
  at,
  node,
  user_id,
  room,
  address,
  code,
  limit,
  reason,
  count,
  last_at,
}: RefusalAccount): string {
  const who = [user_id ?? 'a client', address && `from ${address}`, room && `to ${room}`].filter(Boolean).join(' ');
  const bound = limit === undefined ? '' : ` (limit ${limit})`;
  return `${at}  ${node} refused ${who}: ${code}${bound}: ${reason}${repetition(count, last_at)}`;
}

function roomLines({ room_id, node, session_count, members, epoch, offset, entries }: RoomAccount): string[] {
  const position = offset === undefined ? '' : `, at offset ${offset} of ${epoch}`;
  const shown = members.map(({ session_id, user_id }) => `${user_id} ${session_id}`);
  return [
    `room ${room_id} on ${node}: ${session_count} sessions${position}`,
    ...(shown.length > 0 ? [`  ${listOf(shown, session_count)}`] : []),
    ...entries.map(entry => `  ${entryLine(entry)}`),
  ];
}

const STATES = {
  answered: 'answered',
  busy: 'is asked too often; ask again',
  no_answer: 'did not answer: it was killed, is frozen or without Redis; what it knew is missing',
} as const;

function nodeLine({ node, state, since, truncated }: Explanation['nodes'][number]): string {
  const start = since === undefined ? '' : `, remembers since ${since}`;
  return `edge ${node} ${STATES[state]}${start}${truncated === true ? '; a part of its answer is left out' : ''}`;
}

function quoted(reason: string | undefined): string {
  return reason === undefined ? '' : ` "${reason}"`;
}

function repetition(count: number, lastAt: string | undefined): string {
  return count === 1 ? '' : ` (${count} times, last ${lastAt})`;
}
