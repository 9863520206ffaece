/** Loops over the frames of a room. Fake edge, fake clock. */
import type { Frame } from '@hubbub/protocol';
import { beforeEach, expect, it } from 'vitest';
import type { HubbubClient, Room } from '../src/index.js';
import { type FramesOptions, framesOf } from '../src/room-frames.js';
import { useFakeClock } from './support/fake-clock.js';
import { FakeEdge, outcome, turn } from './support/fake-edge.js';

useFakeClock();

let edge: FakeEdge;
let client: HubbubClient;
let room: Room;

beforeEach(async () => {
  edge = new FakeEdge();
  client = await edge.openClient();
  room = client.room('general');
});

const tick = (n: number): Frame => ({ type: 'tick', room: 'general', payload: { n } });

/** Collects what a loop gets, and how it ends. */
function collect(options?: FramesOptions, until = Infinity) {
  const frames = framesOf(room, options);
  const got: unknown[] = [];
  const ended = (async () => {
    for await (const { type, payload } of frames) if (got.push(payload?.n ?? type) >= until) break;
  })();
  return { got, ended };
}

it('gives the frames of every type in order, from the call on', async () => {
  await room.join();
  const { got } = collect();
  edge.socket
    .receive(tick(1))
    .receive({ type: 'user_typing', room: 'general' })
    .receive({ type: 'tick', room: 'other' });
  await turn();
  edge.socket.receive(tick(2));
  await turn();
  expect(got).toEqual([1, 'user_typing', 2]);
});

it('ends when the room is left, after the frames that waited', async () => {
  await room.join();
  const { got, ended } = collect();
  edge.socket.receive(tick(1)).receive(tick(2));
  await room.leave();
  expect(await outcome(ended)).toEqual({ value: undefined });
  expect(got).toEqual([1, 2]);
});

it('throws when the room was closed, after the frames that waited', async () => {
  await room.join();
  const { got, ended } = collect();
  edge.socket.receive(tick(1)).receive({ type: 'room_closed', payload: { room_id: 'general' } });
  expect(await outcome(ended)).toEqual({ code: 'NOT_IN_ROOM' });
  expect(got).toEqual([1]);
});

it('waits through a reconnect', async () => {
  await room.join();
  const { ended } = collect();
  edge.socket.end(1006);
  expect(await outcome(ended)).toBe('pending');
});

it('stops listening at a break, and the client stays in the room', async () => {
  await room.join();
  const { got, ended } = collect({}, 1);
  edge.socket.receive(tick(1)).receive(tick(2));
  expect(await outcome(ended)).toEqual({ value: undefined });
  expect([got, room.state]).toEqual([[1], 'joined']);
});

it('throws where more frames wait than maxWaiting, after those that fit', async () => {
  await room.join();
  const { got, ended } = collect({ maxWaiting: 2 });
  for (const n of [1, 2, 3, 4]) edge.socket.receive(tick(n));
  const error = await ended.catch(problem => problem);
  expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(/room general .* 2 frames/) });
  expect(got).toEqual([1, 2]);
});

it('throws the reason of its signal', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const { ended } = collect({ signal: controller.signal });
  await turn();
  controller.abort(reason);
  await expect(ended).rejects.toBe(reason);
  await expect(collect({ signal: controller.signal }).ended).rejects.toBe(reason);
});
