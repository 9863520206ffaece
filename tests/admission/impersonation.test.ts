/**
 * Invariant 8: no client can speak as another, or reach a room that its token does not open. Tested for every type of frame:
 * a new type fails here until its audience is listed.
 */
import { CLIENT_FRAME_TYPES, type ClientFrameType, type Encoding, type Frame } from '@hubbub/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { withNamespaces } from '../presence/config-file.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { connect, type RawClient } from '../support/raw-client.js';
import { roomToken } from './claims.js';

const ENCODINGS = ['json', 'msgpack'] as const;
/** The room that Mallory's token does not open. It has a history, so that there is something to steal. */
const SECRET = 'secret:1';
/** Where Mallory may be. */
const OPEN = 'general';
const NAMESPACES = { secret: { historySize: 100, events: ['vote_submitted'] }, chat: { historySize: 100 } };

let cluster: TestCluster;
/** Members of the secret room, one on each edge; Mallory is on the first. */
let insiders: readonly [RawClient, RawClient];
let epoch: unknown;

async function person(user: string, edge: number, encoding: Encoding, rooms: readonly string[]): Promise<RawClient> {
  const token = cluster.token({ user, rooms });
  const client = await connect(cluster.edge(edge).wsUrl, { name: user, token, encoding });
  await client.nextFrame('welcome');
  return client;
}

beforeAll(async () => {
  cluster = await startCluster({ edges: 2, env: withNamespaces(NAMESPACES) });
  insiders = [await person('ann', 0, 'json', ['secret:*']), await person('ben', 1, 'msgpack', ['secret:*'])];
  for (const insider of insiders) await insider.join(SECRET);
  await insiders[1].ask({ type: 'send_message', room: SECRET, payload: { treasure: true } });
  const learned = await insiders[0].ask({ type: 'join_room', payload: { room_id: SECRET } });
  epoch = learned.payload?.epoch;
  expect(epoch).toBeDefined();
});

interface Attempt {
  readonly frame: object;
  /** The code of the error that answers it, or the type of the answer where it is executed and must reach nothing. */
  readonly answer: string;
}

/** Every way that a type of frame has to name a room. */
const ATTEMPTS: Readonly<Record<ClientFrameType, () => readonly Attempt[]>> = {
  join_room: () => [
    { frame: { payload: { room_id: SECRET } }, answer: 'FORBIDDEN' },
    { frame: { room: SECRET }, answer: 'FORBIDDEN' },
    { frame: { room: OPEN, payload: { room_id: SECRET } }, answer: 'FORBIDDEN' },
    { frame: { payload: { room_id: SECRET, epoch, offset: 0 } }, answer: 'FORBIDDEN' },
    {
      frame: { payload: { room_id: SECRET, token: roomToken({ user: 'ann', room: SECRET }) } },
      answer: 'FORBIDDEN',
    },
    { frame: { payload: { room_id: SECRET, rights: ['join'], user: 'ann' } }, answer: 'FORBIDDEN' },
    { frame: { payload: { room_id: [SECRET] } }, answer: 'INVALID_ROOM' },
    { frame: { payload: { room_id: `${SECRET}}` } }, answer: 'INVALID_ROOM' },
    { frame: { payload: { room_id: `{${SECRET}` } }, answer: 'INVALID_ROOM' },
    { frame: { room: SECRET, payload: { room_id: OPEN } }, answer: 'ack' },
  ],
  leave_room: () => [
    // Leaving is idempotent: the answer is the same for every room, and reveals nothing.
    { frame: { payload: { room_id: SECRET } }, answer: 'ack' },
    { frame: { room: SECRET }, answer: 'ack' },
  ],
  send_message: () => [
    { frame: { room: SECRET, payload: { content: 'boo' } }, answer: 'NOT_IN_ROOM' },
    { frame: { room: OPEN, payload: { room_id: SECRET, room: SECRET } }, answer: 'ack' },
    { frame: { payload: { room_id: SECRET } }, answer: 'MISSING_ROOM' },
  ],
  typing: () => [
    { frame: { room: SECRET }, answer: 'NOT_IN_ROOM' },
    { frame: { room: OPEN, payload: { room_id: SECRET } }, answer: 'ack' },
  ],
  stop_typing: () => [
    { frame: { room: SECRET }, answer: 'NOT_IN_ROOM' },
    { frame: { room: OPEN, payload: { room_id: SECRET } }, answer: 'ack' },
  ],
  ping: () => [{ frame: { room: SECRET, payload: { room_id: SECRET } }, answer: 'pong' }],
  online_users: () => [
    { frame: { room: SECRET }, answer: 'NOT_IN_ROOM' },
    { frame: { room: SECRET, payload: { after: 0 } }, answer: 'NOT_IN_ROOM' },
    { frame: { payload: { room_id: SECRET } }, answer: 'MISSING_ROOM' },
  ],
  set_status: () => [
    { frame: { room: SECRET, payload: { status: 'watching', room_id: SECRET } }, answer: 'ack' },
    { frame: { room: SECRET, payload: { status: 'watching', rooms: [SECRET] } }, answer: 'ack' },
  ],
  refresh: () => [
    { frame: { room: SECRET, payload: { token: cluster.token({ user: 'ann', rooms: ['*'] }) } }, answer: 'FORBIDDEN' },
    {
      frame: { room: SECRET, payload: { token: roomToken({ user: 'mallory', room: SECRET }) } },
      answer: 'UNAUTHORIZED',
    },
    {
      frame: { room: SECRET, payload: { token: cluster.token({ user: 'mallory', rooms: [OPEN] }), room_id: SECRET } },
      answer: 'ack',
    },
  ],
  resume: () => [
    { frame: { payload: { rooms: [{ room_id: SECRET }] } }, answer: 'FORBIDDEN' },
    { frame: { payload: { rooms: [{ room_id: OPEN }, { room_id: SECRET, epoch, offset: 0 }] } }, answer: 'FORBIDDEN' },
    {
      frame: { payload: { rooms: [{ room_id: SECRET, token: roomToken({ user: 'ann', room: SECRET }) }] } },
      answer: 'FORBIDDEN',
    },
    { frame: { room: SECRET, payload: { rooms: [] } }, answer: 'ack' },
  ],
  history: () => [
    { frame: { room: SECRET }, answer: 'NOT_IN_ROOM' },
    { frame: { room: SECRET, payload: { since: 0, limit: 100 } }, answer: 'NOT_IN_ROOM' },
    { frame: { payload: { room_id: SECRET } }, answer: 'MISSING_ROOM' },
  ],
};

/** Types that only services know are client events; the secret namespace takes the first of these, and no other. */
const CLIENT_EVENTS = ['vote_submitted', 'new_message', 'user_joined', 'hubbub.close_room', 'room_closed'];

test('every type of frame is considered here', () => {
  expect(Object.keys(ATTEMPTS).sort()).toEqual([...CLIENT_FRAME_TYPES].sort());
  expect(Object.keys(HEARD).sort()).toEqual([...CLIENT_FRAME_TYPES].sort());
});

describe.each(ENCODINGS)('a session that its token does not let into the room (%s)', encoding => {
  let mallory: RawClient;
  beforeAll(async () => {
    mallory = await person('mallory', 0, encoding, [OPEN]);
    await mallory.join(OPEN);
  });

  /** A message in the secret room follows anything that Mallory may have caused there. */
  async function expectNothingPassed(): Promise<void> {
    const output = await insiders[0].ask({ type: 'send_message', room: SECRET, payload: { barrier: true } });
    await insiders[1].nextFrame({ type: 'new_message', offset: output.offset ?? 0 });
    await mallory.ping();
    for (const insider of insiders) {
      const caused = insider.frames.filter(frame => JSON.stringify(frame).includes('mallory'));
      expect(caused, `reached ${insider.name}`).toEqual([]);
    }
    const offsets = insiders[1].frames.flatMap(({ type, offset }) => (type === 'new_message' ? [offset] : []));
    expect(offsets).toEqual([...new Set(offsets)]);
    // A refusal, or the empty ack of a leave.
    const isAnswer = (frame: Frame): boolean =>
      frame.type === 'error' || (frame.type === 'ack' && frame.payload === undefined);
    const leaked = mallory.frames.filter(frame => frame.room === SECRET && !isAnswer(frame));
    expect(leaked, 'reached Mallory').toEqual([]);
    expect(JSON.stringify(mallory.frames)).not.toContain('treasure');
  }

  test.each(CLIENT_FRAME_TYPES)('%s', async type => {
    for (const { frame, answer } of ATTEMPTS[type]()) {
      const answered = await mallory.ask({ type, ...frame });
      expect(verdict(answered), JSON.stringify(frame)).toBe(answer);
    }
    await expectNothingPassed();
  });

  test.each(CLIENT_EVENTS)('the client event %s', async type => {
    for (const frame of [{ room: SECRET }, { room: SECRET, payload: { room_id: SECRET } }, { payload: {} }]) {
      const taken = type === 'vote_submitted' && 'room' in frame;
      const code = taken ? 'NOT_IN_ROOM' : 'UNKNOWN_TYPE';
      expect(await mallory.ask({ type, ...frame })).toMatchObject({ type: 'error', payload: { code } });
    }
    await expectNothingPassed();
  });

  /** The code of an error, also of one that is about a room of a resume; else the type of the answer. */
  function verdict({ type, payload = {} }: Frame): unknown {
    const rooms = (Array.isArray(payload.rooms) ? payload.rooms : []) as { error?: { code?: string } }[];
    return payload.code ?? rooms.find(({ error }) => error !== undefined)?.error?.code ?? type;
  }
});

/** Claims that a client may not make of itself, in every place of a frame. */
const FORGED = {
  sender: { id: 'admin', name: 'Admin' },
  timestamp: '1999-01-01T00:00:00.000Z',
  offset: 999_999,
  epoch: 'forged',
  user: { id: 'admin', name: 'Admin' },
  user_id: 'admin',
  session_id: 'admin',
  count: 999_999,
  version: Number.MAX_SAFE_INTEGER,
  exclude: 'nobody',
  key: 'forged',
  x: 'forged',
  c: { do: 'close_room' },
  p: 999_999,
};

/** The frame that others get, by type; `undefined` if they get nothing. */
const HEARD: Readonly<Record<ClientFrameType, { readonly type: string; readonly payload?: object } | undefined>> = {
  join_room: { type: 'user_joined' },
  send_message: { type: 'new_message', payload: { content: 'hi' } },
  typing: { type: 'user_typing' },
  stop_typing: { type: 'user_stopped_typing' },
  set_status: { type: 'user_status', payload: { status: 'busy' } },
  leave_room: { type: 'user_left' },
  resume: { type: 'user_joined' },
  ping: undefined,
  online_users: undefined,
  history: undefined,
  refresh: undefined,
};
const AUDIBLE = CLIENT_FRAME_TYPES.filter(type => HEARD[type] !== undefined);

describe.each(ENCODINGS)('claims of a client about itself do not count (%s)', encoding => {
  let count = 0;

  test.each(AUDIBLE)('%s: the sender, the time and the position are what the edge knows', async type => {
    const heard = HEARD[type];
    const room = `chat:${encoding}-${type}-${++count}`;
    const listeners = [await person('lea', 0, 'json', ['chat:*']), await person('leo', 1, 'msgpack', ['chat:*'])];
    for (const listener of listeners) await listener.join(room);
    const mallory = await person('mallory', 0, encoding, ['chat:*']);
    const enters = type === 'join_room' || type === 'resume';
    if (!enters) await mallory.join(room);
    if (!enters)
      for (const listener of listeners) await listener.nextFrame({ type: 'user_joined', sender: { id: 'mallory' } });

    const own = type === 'resume' ? { rooms: [{ room_id: room, sender: FORGED.sender, user: FORGED.user }] } : {};
    // The payload of a message is free; that of a join has a position.
    const forgedPayload = enters || type === 'send_message' ? {} : FORGED;
    const payload = { ...forgedPayload, room_id: room, ...own, ...heard?.payload };
    const before = Date.now();
    const answer = await mallory.ask({ ...FORGED, type, room, payload });
    expect(answer.type).toBe('ack');

    for (const listener of listeners) {
      // From somebody other than the listeners.
      const frame = await listener.nextFrame(
        ({ type, sender }) => type === heard?.type && !['lea', 'leo'].includes(sender?.id ?? ''),
      );
      expect(frame.sender).toEqual({ id: 'mallory', name: 'mallory' });
      expect(frame.room).toBe(room);
      if (frame.timestamp !== undefined) expect(Date.parse(frame.timestamp)).toBeGreaterThanOrEqual(before - 1000);
      expect(frame.offset).toBe(type === 'send_message' ? 1 : undefined);
      const output = JSON.stringify(frame);
      for (const forged of ['admin', 'Admin', '1999-01-01', '999999', 'forged', 'nobody', '9007199254740991']) {
        expect(output, forged).not.toContain(forged);
      }
      const allowed = ['type', 'room', 'payload', 'sender', 'timestamp', 'epoch', 'offset', 'id'];
      expect(Object.keys(frame).filter(key => !allowed.includes(key))).toEqual([]);
    }
  });
});
