/** Quiz room: a host, players, and connections that drop. HTTP gives seats, client events play, the registry reports who is online. */
import { createHash } from 'node:crypto';
import type { ServiceEvent } from '@hubbub/server';
import { ZodError, z } from 'zod';
import type { Example, ServiceParts } from '../service/example.js';
import { codeOf, hubRoom, QUESTION_SETS, questionsOf, Rooms, readRoomCode } from './rooms.js';
import {
  type Act,
  answer,
  cheer,
  end,
  endEarly,
  enter,
  leave,
  type Member,
  memberByPass,
  next,
  noMember,
  playAgain,
  type QuizRoom,
  Refusal,
  readName,
  seat,
  seen,
  start,
} from './rules.js';

const STATE_TTL_MS = 6 * 3_600_000;
/** Players watch a clock: another instance takes over sooner than by default. */
const STREAM = { group: 'quiz-room', leaseMs: 2000, onError: report };
const ROSTER_MAX = 1000;
/** To listen and to send events; only the service publishes in a room. */
const RIGHTS = ['join', 'event', 'presence', 'history'] as const;
const CHEERS = ['👏', '🎉', '😂', '😮', '❤️'];

/** Made by the page and kept there; a repeated request with it gets the same seat. */
const pass = z.string().regex(/^[0-9a-f]{32}$/);
const name = z.string().max(200);
const set = z.enum(QUESTION_SETS.map(({ id }) => id));
const round = z.int().min(1);
const roomRequest = z.strictObject({ name, pass, set });
const joinRequest = z.strictObject({ name, pass });
const tokenRequest = z.strictObject({ pass });
const roomPath = z.object({ code: z.string().max(32) });
const stepPayload = z.object({ round, question: z.int().min(0).max(100) });
const answerPayload = stepPayload.extend({ choice: z.int().min(0).max(3) });
const endPayload = z.object({ round });
const againPayload = z.object({ round, set });
const cheerPayload = z.object({ emoji: z.enum(CHEERS) });

export const quizRoom: Example = {
  name: 'quiz-room',
  title: 'Quiz night',
  stateTtlMs: STATE_TTL_MS,
  start: startQuizRoom,
};

function startQuizRoom(parts: ServiceParts): void {
  const { hubbub, documents, timeMs, onClose } = parts;
  const rooms = new Rooms(hubbub, documents, {
    cleanupAfterMs: timeMs('EXAMPLE_CLEANUP_AFTER_MS', 5 * 60_000),
    lookEveryMs: timeMs('EXAMPLE_LOOK_EVERY_MS', 1000),
    forgottenAfterMs: STATE_TTL_MS,
  });
  addRoutes(parts, rooms);
  handleEvents(parts, rooms, timeMs('EXAMPLE_QUESTION_MS', 20_000));
  followRegistry(parts, rooms);
  rooms.start();
  onClose(() => rooms.stop());
}

/** A host opens a room, players take a seat by its code, and the holders of seats get tokens for the hub. */
function addRoutes({ http, mint }: ServiceParts, rooms: Rooms): void {
  http.get('/api/sets', () =>
    QUESTION_SETS.map(({ id, title, questions }) => ({ id, title, questions: questions.length })),
  );

  http.post('/api/rooms', async request => {
    const { name, pass, set } = roomRequest.parse(request.body);
    const host = memberOf(name, pass, 'host');
    return admission(await rooms.create(set, room => seat(room, host, Date.now())), pass);
  });

  http.post('/api/rooms/:code/join', async request => {
    const code = readRoomCode(roomPath.parse(request.params).code);
    const { name, pass } = joinRequest.parse(request.body);
    const player = memberOf(name, pass, 'player');
    return admission(await rooms.change(code, room => seat(room, player, Date.now())), pass);
  });

  http.post('/api/rooms/:code/token', async request => {
    const code = readRoomCode(roomPath.parse(request.params).code);
    const { pass } = tokenRequest.parse(request.body);
    return admission(await rooms.read(code), pass);
  });

  /** The user in this room, and a token that proves it to the hub. */
  function admission(room: QuizRoom, pass: string) {
    const member = memberByPass(room, hash('pass', pass));
    if (member === undefined) throw noMember();
    const { id, name, role } = member;
    const token = mint.session({ user: id, name, rooms: { [hubRoom(room.code)]: RIGHTS } });
    return { code: room.code, room: hubRoom(room.code), user: { id, name, role }, token, now_ms: Date.now() };
  }
}

/** One user for each pass; neither the id nor the hash reveals it. */
function memberOf(name: string, pass: string, role: Member['role']) {
  return { name: readName(name), role, passHash: hash('pass', pass), id: `u-${hash('user', pass).slice(0, 12)}` };
}

function hash(kind: string, pass: string): string {
  return createHash('sha256').update(`${kind} ${pass}`).digest('base64url');
}

/** Client events change the room, and everybody receives its state. */
function handleEvents({ hubbub }: ServiceParts, rooms: Rooms, questionMs: number): void {
  hubbub.onEvents('quiz', STREAM, async event => {
    const code = codeOf(event.room);
    if (code === undefined) return;
    try {
      await handle(code, event);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error; // Redis is away: the event is repeated.
      await event.reply({ type: 'error', payload: refusal });
      // A page that reconnected after the cleanup is in a room without a quiz.
      if (refusal.code === 'NOT_FOUND') await hubbub.closeRoom(hubRoom(code), 'The quiz is over.');
    }
  });

  async function handle(code: string, event: ServiceEvent): Promise<void> {
    if (event.type === 'answer_submitted') return await takeAnswer(code, event);
    const change = changeOf(event, { nowMs: Date.now(), questionMs });
    const room = await rooms.change(code, change);
    if (event.type === 'cheer') {
      const payload = { ...cheerPayload.parse(event.payload), name: event.user.name };
      const message = { type: 'cheer', payload, idempotencyKey: `cheer:${event.entryId}` };
      await hubbub.publishToRoom(hubRoom(code), message);
    } else {
      await rooms.publish(room, `event:${event.entryId}`);
      if (event.type === 'join_quiz') await repeatAnswer(room, event);
    }
  }

  /** The others learn that the player has answered; the answer itself follows in the state, when the question ends. */
  async function takeAnswer(code: string, event: ServiceEvent): Promise<void> {
    const given = answerPayload.parse(event.payload);
    const room = await rooms.change(code, before => answer(before, actOf(event), given));
    await event.reply({ type: 'answer_taken', payload: given });
    const asked = room.asked[given.question];
    if (asked?.ended !== false) return await rooms.publish(room, `event:${event.entryId}`);
    const { round, question } = given;
    const payload = { round, question, version: room.version, answered: Object.keys(asked.answers) };
    const message = { type: 'answer_counted', payload, idempotencyKey: `answer:${event.entryId}` };
    await hubbub.publishToRoom(hubRoom(code), message);
  }

  /** A reloaded page does not know the choice of its player. */
  async function repeatAnswer({ round, asked, phase }: QuizRoom, event: ServiceEvent): Promise<void> {
    const question = asked.length - 1;
    const choice = asked[question]?.answers[event.user.id]?.choice;
    if (choice === undefined || phase !== 'question') return;
    await event.reply({ type: 'answer_taken', payload: { round, question, choice } });
  }
}

/** The change that an event requests. @throws {ZodError} for a wrong payload */
function changeOf(event: ServiceEvent, clock: { nowMs: number; questionMs: number }): (room: QuizRoom) => QuizRoom {
  const act = actOf(event);
  const { type, payload } = event;
  switch (type) {
    case 'join_quiz':
      return room => enter(room, act.userId, act.atMs);
    case 'start_quiz':
      return room => start(room, act, clock);
    case 'end_question': {
      const step = stepPayload.parse(payload);
      return room => endEarly(room, act, step);
    }
    case 'next_question': {
      const step = stepPayload.parse(payload);
      return room => next(room, act, step, questionsOf(room).length, clock);
    }
    case 'end_quiz': {
      const quiz = endPayload.parse(payload);
      return room => end(room, act, quiz);
    }
    case 'play_again': {
      const wanted = againPayload.parse(payload);
      return room => playAgain(room, act, wanted);
    }
    default: // `cheer`: hub.yaml lists the types of client events.
      cheerPayload.parse(payload);
      return room => cheer(room, act);
  }
}

function actOf({ user, atMs, entryId }: ServiceEvent): Act {
  return { userId: user.id, atMs, entryId };
}

/** Follows the hub's registry of connections: its reports as they arrive, and its rosters after a start. */
function followRegistry({ hubbub }: ServiceParts, rooms: Rooms): void {
  hubbub.onLifecycle(STREAM, async event => {
    if (!('room' in event && 'user' in event)) return;
    const code = codeOf(event.room);
    if (code === undefined) return;
    const { user, atMs } = event;
    await changeIfOpen(code, `member:${event.entryId}`, room => {
      if (event.event === 'member_left' && event.reason === 'left') return leave(room, user, atMs);
      const online = event.event === 'member_joined' || event.event === 'member_online';
      return seen(room, user, { online, atMs });
    });
  });
  catchUp().catch(report);

  /** Reports are kept for minutes: a service that was down for longer has missed some. */
  async function catchUp(): Promise<void> {
    for (const code of await rooms.codes()) {
      const atMs = Date.now(); // Before the question: later reports are newer than its answer.
      const { users } = await hubbub.presence.roster(hubRoom(code), { limit: ROSTER_MAX });
      const online = new Set(users.filter(user => user.online !== false).map(({ id }) => id));
      await changeIfOpen(code, `roster:${code}:${atMs}`, room =>
        room.members
          .filter(member => member.entered && member.online !== online.has(member.id))
          .reduce((before, { id }) => seen(before, id, { online: online.has(id), atMs }), room),
      );
    }
  }

  async function changeIfOpen(code: string, cause: string, change: (room: QuizRoom) => QuizRoom): Promise<void> {
    try {
      await rooms.publish(await rooms.change(code, change), cause);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error; // The room is gone, and with it all members.
    }
  }
}

function refusalOf(error: unknown): { readonly code: string; readonly message: string } | undefined {
  if (error instanceof Refusal) return { code: error.code, message: error.message };
  if (!(error instanceof ZodError)) return undefined;
  return { code: 'INVALID_PAYLOAD', message: `${error.issues[0]?.path.join('.')}: ${error.issues[0]?.message}` };
}

function report(error: unknown): void {
  process.stderr.write(`An event is repeated: ${error instanceof Error ? error.stack : String(error)}\n`);
}
