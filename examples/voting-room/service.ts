/** Voting room: a lobby that starts a vote. HTTP requests change the room, and the hub notifies all who listen. */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Example, ServiceParts } from '../service/example.js';
import { Rooms } from './rooms.js';
import {
  CHOICES,
  emptySince,
  end,
  existing,
  indexOf,
  participate,
  type RoomAnswer,
  setTopic,
  start,
  statusOf,
  type VotingRoom,
  vote,
} from './rules.js';

const HOUR_MS = 3_600_000;

const text = (max: number) => z.strictObject({ text: z.string().trim().min(1).max(max) });
const participation = text(80);
const topic = text(160);
const ballot = z.strictObject({ choice: z.enum(CHOICES) });
const nothing = z.strictObject({}).nullish();
/** Made by the page. It identifies a participant, also one with the name of another. */
const participantKey = z.string().regex(/^[0-9a-f]{32}$/);

export const votingRoom: Example = {
  name: 'voting-room',
  title: 'Voting room',
  stateTtlMs: 6 * HOUR_MS,
  // In development pages of every site may listen; in production those of a list.
  hubVariables: () => ({ HUBBUB_BASE_PATH: '/api', HUBBUB_ALLOWED_ORIGINS: '*' }),
  start: startVotingRoom,
};

function startVotingRoom({ hubbub, documents, http, timeMs, onClose, allowedOrigins }: ServiceParts): void {
  const rooms = new Rooms(hubbub, documents);

  admitOrigins(http, allowedOrigins);
  http.addHook('onSend', async (request, reply) => {
    // `GET /api/rooms` gives another room each time.
    if (request.url.startsWith('/api/')) reply.header('cache-control', 'no-store');
  });

  http.get('/api/rooms', async () => statusOf(await rooms.acquire()));

  http.get('/api/rooms/:room_id/acquired', async request => {
    return { acquired: true, ...answerTo(request, existing(await rooms.find(roomId(request)))) };
  });

  /** A route that changes the room. */
  function patch(what: string, change: (request: FastifyRequest) => (room: VotingRoom | undefined) => VotingRoom) {
    http.patch(`/api/rooms/:room_id/${what}`, async request =>
      answerTo(request, await rooms.change(roomId(request), change(request))),
    );
  }

  patch('participate', request => {
    const name = participation.parse(request.body).text;
    // Without a key, the name identifies the participant.
    const key = keyOf(request) ?? `name:${name}`;
    return room => participate(room, key, name);
  });
  patch('topic', request => {
    const question = topic.parse(request.body).text;
    return room => setTopic(room, question);
  });
  patch('start', request => {
    nothing.parse(request.body);
    return start;
  });
  patch('vote', request => {
    const { choice } = ballot.parse(request.body);
    return room => vote(room, keyOf(request), choice);
  });
  patch('end', request => {
    nothing.parse(request.body);
    return end;
  });

  http.patch('/api/rooms/:room_id/release', async request => {
    nothing.parse(request.body);
    const { room_id } = existing(await rooms.find(roomId(request)));
    await rooms.forget(room_id, 'the room was released');
    return { room_id, released: true };
  });

  hubbub.onLifecycle({ group: 'voting-room' }, async ({ entryId, ...event }) => {
    if (event.event === 'room_vacated') {
      await rooms.changeIfExisting(event.room, room => emptySince(room, event.atMs));
    } else if (event.event === 'member_joined') {
      const room = await rooms.find(event.room);
      if (room === undefined) return await hubbub.closeRoom(event.room, 'there is no such room');
      const payload = { message: 'Somebody has joined the room.' };
      const message = { type: 'participant_joined', payload, idempotencyKey: `joined-${entryId}` };
      await hubbub.publishToRoom(event.room, message);
      await rooms.announceStatus(room, `status-for-${entryId}`);
    }
  });

  const emptyMs = timeMs('EXAMPLE_EMPTY_ROOM_MS', 60_000);
  const intervalMs = timeMs('EXAMPLE_ROUND_MS', 2000);
  onClose(repeat(intervalMs, isFirst => rooms.round(emptyMs, isFirst)));
}

/** The state of the room, with the index and the vote of the participant who asks. */
function answerTo(request: FastifyRequest, room: VotingRoom): RoomAnswer {
  const you = indexOf(room, keyOf(request));
  const choice = you === undefined ? undefined : room.participants[you]?.choice;
  return { ...statusOf(room), ...(you !== undefined && { you }), ...(choice && { your_choice: choice }) };
}

function roomId({ params }: FastifyRequest): string {
  return z.object({ room_id: z.string() }).parse(params).room_id;
}

/** The documents hold only a hash of the header: a key is a secret of its page. */
function keyOf({ headers }: FastifyRequest): string | undefined {
  const key = participantKey.optional().parse(headers['participant-key']);
  return key && createHash('sha256').update(key).digest('base64url');
}

/** Repeats `work`, with a pause after each run. @returns a function that stops it */
function repeat(pauseMs: number, work: (isFirst: boolean) => Promise<void>): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let isFirst = true;
  const run = async (): Promise<void> => {
    try {
      await work(isFirst);
      isFirst = false;
    } catch {
      // Redis or presence is away: the next run has the same work.
    }
    if (!isStopped) timer = setTimeout(() => void run(), pauseMs);
  };
  void run();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

/**
 * Decides which sites' pages may use the service: in development all, in production those of a list. The edges do the same
 * for listeners. The service's own pages and programs may always use it.
 */
function admitOrigins(http: FastifyInstance, allowed: readonly string[] | undefined): void {
  http.addHook('onRequest', async (request, reply) => {
    const { origin, host } = request.headers;
    if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return;
    if (allowed !== undefined && !allowed.includes(origin)) {
      return reply.code(403).send({ error: 'this origin may not ask' });
    }
    reply.headers({ 'access-control-allow-origin': origin, vary: 'Origin' });
    if (request.method !== 'OPTIONS') return;
    // The preflight of a browser before a PATCH of another site.
    reply.headers({
      'access-control-allow-methods': 'GET, PATCH',
      'access-control-allow-headers': 'content-type, participant-key',
    });
    return reply.code(204).send();
  });
}
