/** Calls of an application while its client moves to another edge. Fake edge, fake clock. */
import { beforeEach, expect, it, vi } from 'vitest';
import type { HubbubClient } from '../src/index.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, type FakeSocket, outcome, turn, willing } from './support/fake-edge.js';

useFakeClock();

let edge: FakeEdge;
let client: HubbubClient;
let old: FakeSocket;

beforeEach(async () => {
  edge = new FakeEdge();
  client = await edge.openClient();
  old = edge.socket;
});

/** The client moves, but waits until the edge answers its ping. */
async function beginMove(): Promise<void> {
  const { answer } = edge;
  edge.answer = (frame, socket) => void (frame.type === 'ping' || answer(frame, socket));
  void client.ping();
  old.receive({ type: 'reconnect', payload: { delay_ms: 0 } });
  await turn();
  expect(client.state).toBe('moving');
}

async function arrive(): Promise<FakeSocket> {
  edge.answer = willing;
  old.receive({ type: 'pong', id: old.sentOfType('ping')[0]?.id ?? '' });
  return await edge.accept();
}

const joinsOf = (socket: FakeSocket) => socket.sentOfType('join_room').map(({ payload }) => payload?.room_id);

it('joins a room in the next session, not in the one that it leaves', async () => {
  await beginMove();
  const joined = client.room('general').join();
  await turn();
  expect(joinsOf(old)).toEqual([]);
  const socket = await arrive();
  expect([joinsOf(socket), await outcome(joined)]).toEqual([['general'], { value: undefined }]);
});

it('repeats a refused join in the next session', async () => {
  edge.answer = ({ id = '' }, socket) =>
    void socket.receive({ type: 'error', id, payload: { code: 'RATE_LIMITED', message: '' } });
  const joined = client.room('general').join();
  await turn();
  await beginMove();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(joinsOf(old)).toEqual(['general']);
  const socket = await arrive();
  expect([joinsOf(socket), await outcome(joined)]).toEqual([['general'], { value: undefined }]);
});

it('joins in the next session with a room token that arrives during the move', async () => {
  let give: (token: string) => void = () => {};
  const joined = client.room('vip').join({ token: () => new Promise(resolve => (give = resolve)) });
  await beginMove();
  give('first');
  await turn();
  expect(joinsOf(old)).toEqual([]);
  const socket = await arrive();
  give('second');
  expect(await outcome(joined)).toEqual({ value: undefined });
  expect(socket.sentOfType('join_room')).toMatchObject([{ payload: { room_id: 'vip', token: 'second' } }]);
});

it('requests no room token that it could not use yet', async () => {
  await beginMove();
  const token = vi.fn(() => 'token');
  const joined = client.room('vip').join({ token });
  await turn();
  expect(token).not.toHaveBeenCalled();
  await arrive();
  expect([await outcome(joined), token.mock.calls.length]).toEqual([{ value: undefined }, 1]);
});

it('leaves a room immediately: until the move is over the old edge still sends', async () => {
  const room = client.room('general');
  await room.join();
  await beginMove();
  await room.leave();
  expect(old.sentOfType('leave_room')).toHaveLength(1);
  const socket = await arrive();
  expect([socket.sent, room.state]).toEqual([[], 'left']);
});
