/** HTTP: a host opens a room, players take a seat by its code, and whoever has a seat gets tokens for the hub. */
import { createHash } from 'node:crypto';
import type { ServiceParts } from '../service/example.js';
import { memberByPass, noMember, readName, seat } from './members.js';
import { joinRequest, newRoomRequest, roomPath, tokenRequest } from './messages.js';
import { QUESTION_SETS } from './question-sets.js';
import type { QuizRoom } from './quiz.js';
import { hubRoom, readRoomCode } from './room-code.js';
import type { RoomKeeper } from './room-keeper.js';

/** To listen and to send events; only the service publishes in a room. */
const RIGHTS = ['join', 'event', 'presence', 'history'] as const;

export function serveQuiz({ http, mint }: ServiceParts, rooms: RoomKeeper): void {
  http.get('/api/sets', () =>
    QUESTION_SETS.map(({ id, title, questions }) => ({ id, title, questions: questions.length })),
  );

  http.post('/api/rooms', async request => {
    const { name, pass, set } = newRoomRequest.parse(request.body);
    const host = { name: readName(name), role: 'host' as const, passHash: hashed(pass), userId: userIdOf(pass) };
    return seatOf(await rooms.create(set, room => seat(room, { ...host, nowMs: Date.now() })), pass);
  });

  http.post('/api/rooms/:code/join', async request => {
    const code = readRoomCode(roomPath.parse(request.params).code);
    const { name, pass } = joinRequest.parse(request.body);
    const player = { name: readName(name), role: 'player' as const, passHash: hashed(pass), userId: userIdOf(pass) };
    return seatOf(await rooms.change(code, room => seat(room, { ...player, nowMs: Date.now() })), pass);
  });

  http.post('/api/rooms/:code/token', async request => {
    const code = readRoomCode(roomPath.parse(request.params).code);
    const { pass } = tokenRequest.parse(request.body);
    return seatOf(await rooms.read(code), pass);
  });

  /** The user in this room, and a token that proves it to the hub. */
  function seatOf(room: QuizRoom, pass: string) {
    const member = memberByPass(room, hashed(pass));
    if (member === undefined) throw noMember();
    const { id, name, role } = member;
    const token = mint.session({ user: id, name, rooms: { [hubRoom(room.code)]: RIGHTS } });
    return { code: room.code, room: hubRoom(room.code), user: { id, name, role }, token, now_ms: Date.now() };
  }
}

function hashed(pass: string): string {
  return createHash('sha256').update(`pass ${pass}`).digest('base64url');
}

/** The same for the same pass: a page that asks twice is one user. It does not reveal the pass. */
function userIdOf(pass: string): string {
  return `u-${createHash('sha256').update(`user ${pass}`).digest('base64url').slice(0, 12)}`;
}
