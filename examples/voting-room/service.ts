/** Voting room: a lobby that starts a vote. HTTP changes the room, the hub notifies everybody who listens. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Example, ServiceParts } from '../service/example.js';
import { Announcements } from './announcements.js';
import { admitOrigins } from './origins.js';
import { Rooms } from './rooms.js';
import { goRound } from './rounds.js';
import { emptySince, existing, participate, start, statusOf, type VotingRoom } from './voting-room.js';

const HOUR_MS = 3_600_000;
const TEXT_MAX = 80;

const participation = z.strictObject({ text: z.string().trim().min(1).max(TEXT_MAX) });
const nothing = z.strictObject({}).nullish();

export const votingRoom: Example = {
  name: 'voting-room',
  title: 'Voting room',
  stateTtlMs: 6 * HOUR_MS,
  // In development pages of every site may listen; in production those of a list.
  hubVariables: () => ({ HUBBUB_BASE_PATH: '/api', HUBBUB_ALLOWED_ORIGINS: '*' }),
  start: startVotingRoom,
};

function startVotingRoom({ hubbub, documents, http, timeMs, onClose, allowedOrigins }: ServiceParts): void {
  const rooms = new Rooms(documents);
  const announcements = new Announcements(hubbub, rooms);

  /** The change is stored; if it cannot be announced now, the next round does it. */
  async function tellAll(room: VotingRoom): Promise<void> {
    await announcements.tellChanges(room).catch(() => {});
  }

  admitOrigins(http, allowedOrigins);
  http.addHook('onSend', async (request, reply) => {
    // `GET /api/rooms` gives another room each time.
    if (request.url.startsWith('/api/')) reply.header('cache-control', 'no-store');
  });

  http.get('/api/rooms', async () => statusOf(await rooms.acquire()));

  http.get('/api/rooms/:room_id/acquired', async request => {
    return { acquired: true, ...statusOf(existing(await rooms.find(roomId(request)))) };
  });

  http.patch('/api/rooms/:room_id/participate', async request => {
    const { text } = participation.parse(request.body);
    const room = await rooms.change(roomId(request), before => participate(before, text));
    await tellAll(room);
    return statusOf(room);
  });

  http.patch('/api/rooms/:room_id/start', async request => {
    nothing.parse(request.body);
    const room = await rooms.change(roomId(request), start);
    await tellAll(room);
    return statusOf(room);
  });

  http.patch('/api/rooms/:room_id/release', async request => {
    nothing.parse(request.body);
    const { room_id } = existing(await rooms.find(roomId(request)));
    await rooms.forget(room_id, () => hubbub.closeRoom(room_id, 'the room was released'));
    return { room_id, released: true };
  });

  hubbub.onLifecycle({ group: 'voting-room' }, async ({ entryId, ...event }) => {
    if (event.event === 'room_vacated') {
      await rooms.changeIfThere(event.room, room => emptySince(room, event.atMs));
    } else if (event.event === 'member_joined') {
      const room = await rooms.find(event.room);
      if (room === undefined) await hubbub.closeRoom(event.room, 'there is no such room');
      else await announcements.tellJoined(room, entryId);
    }
  });

  onClose(
    goRound({
      hubbub,
      rooms,
      announcements,
      emptyMs: timeMs('EXAMPLE_EMPTY_ROOM_MS', 60_000),
      intervalMs: timeMs('EXAMPLE_ROUND_MS', 2000),
    }),
  );
}

function roomId({ params }: FastifyRequest): string {
  return z.object({ room_id: z.string() }).parse(params).room_id;
}
