/** Frames that join a room, and what a service does to the room in the meantime. */
import { Interest, MemoryCluster } from '@hubbub/broker';
import { Channels, DEFAULT_LIMITS, type Payload } from '@hubbub/protocol';
import { createMetricsRegistry, noTracing } from '@hubbub/runtime';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../../../tests/support/cleanup.js';
import { SILENT } from '../../../tests/support/silent-logger.js';
import { createRoomJoin, handleJoinRoom } from '../src/frames/join-room.js';
import { handleResume } from '../src/frames/resume.js';
import { createJoinFeed } from '../src/history/join-feed.js';
import { createRecoveryMetrics } from '../src/history/recovery-metrics.js';
import { ReplayMemory } from '../src/history/replay-memory.js';
import { ReplayTurns } from '../src/history/replay-turns.js';
import { RoomFeeds } from '../src/history/room-feeds.js';
import { Audiences } from '../src/rooms/fanout.js';
import { Memberships } from '../src/rooms/memberships.js';
import type { Session } from '../src/sessions/session.js';
import { Sessions } from '../src/sessions/sessions.js';

const SINCE = { epoch: 'e', offset: 1 };

/** The rooms of an edge without sockets. */
function startRooms(historySize: number) {
  const { broker, history } = new MemoryCluster().open();
  const channels = new Channels('test');
  const metrics = createRecoveryMetrics(createMetricsRegistry());
  const limits = { maxReplayMessages: 100, maxBufferedBytes: 100_000 };
  const feeds = new RoomFeeds({
    ...limits,
    history,
    namespaces: { default: { historySize, historyTtlMs: 60_000 } } as never,
    channels,
    replayMemory: new ReplayMemory(1_000_000),
    checkIntervalMs: 60_000,
    metrics,
    deliver() {},
    reportGap() {},
    reportCrossing() {},
  });
  cleanup(() => feeds.close());
  const memberships = new Memberships({
    interest: new Interest(broker, 0),
    channels,
    nodeChannel: channels.node('n1'),
    audiences: new Audiences({
      channels,
      sessions: new Sessions(),
      metrics: {} as never,
      tracing: noTracing,
      publish() {},
      conflation: undefined as never,
      namespaces: {},
      accounts: { gap() {} },
    }),
    presence: { joined() {}, left() {} } as never,
    feeds,
    joinFeed: createJoinFeed({ ...limits, metrics, turns: new ReplayTurns() }),
    roomTokens: { joined() {}, left() {} },
    accounts: { note() {} },
    tracing: noTracing,
    log: SILENT,
  });
  const sessionLimits = { ...DEFAULT_LIMITS, max_rooms: 10 };
  const joinRoom = createRoomJoin({ memberships, authorizeJoin: () => undefined, limits: sessionLimits });
  return {
    memberships,
    joinRoom: handleJoinRoom(joinRoom),
    resume: handleResume({ joinRoom, refusals: { count() {} }, limits: sessionLimits }),
  };
}

/** A session that is not in any room. */
function sessionDouble() {
  const acks: Payload[] = [];
  const session = {
    id: 's1',
    user: { id: 'ada', name: 'Ada' },
    encoding: 'json',
    state: 'open',
    closed: false,
    rooms: new Set<string>(),
    socket: { getBufferedAmount: () => 0, subscribe: () => true, unsubscribe: () => true },
    allows: () => true,
    grant() {},
    revoke() {},
    sendAll() {},
    nextMessageId: () => 'm1',
    acknowledge: (_: unknown, room: string | undefined, { payload }: { payload: Payload }) =>
      acks.push(room === undefined ? payload : { room, ...payload }),
  };
  return { session: session as unknown as Session, acks };
}

describe.each([
  ['with history', 10],
  ['without history', 0],
])('a member of a room %s that a service removes', (_, historySize) => {
  test('while it resumes gets an error for the room', async () => {
    const { memberships, joinRoom, resume } = startRooms(historySize);
    const { session, acks } = sessionDouble();
    await joinRoom(session, { type: 'join_room', payload: { room_id: 'general' } });
    const rooms = [{ room_id: 'general', ...SINCE }];
    const resuming = resume(session, { type: 'resume', payload: { rooms } });
    memberships.leave(session, 'general');
    await resuming;
    const error = expect.objectContaining({ code: 'NOT_IN_ROOM' });
    expect(acks.at(-1)).toEqual({ rooms: [{ room_id: 'general', error }] });
  });

  test('while it names a position again gets an error', async () => {
    const { memberships, joinRoom } = startRooms(historySize);
    const { session } = sessionDouble();
    const join = { type: 'join_room', payload: { room_id: 'general', ...SINCE } };
    await joinRoom(session, join);
    const joining = joinRoom(session, join);
    memberships.leave(session, 'general');
    await expect(joining).rejects.toMatchObject({ code: 'NOT_IN_ROOM' });
  });
});
